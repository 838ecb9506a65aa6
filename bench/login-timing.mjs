// Does the time of a refusal tell whether an account exists? Starts the built server on a throw-away database, sends wrong
// passwords for an account that exists and for names that do not, turn about, and compares the medians.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROUNDS = Number(process.argv[2] ?? 90);
const OWNER = { email: 'owner@example.com', password: 'plenty of words 42' };
const MOST_DIFFERENCE = 0.1;

const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
// As root the database runs as another account, which has to get there.
chmodSync(dataDir, 0o711);
const server = spawn(process.execPath, [fileURLToPath(new URL('../dist/main.js', import.meta.url))], {
  env: {
    PATH: process.env.PATH,
    PORT: '0',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
    LOCKOUT_ATTEMPTS: '100',
    RATE_LIMIT_ENABLED: 'false',
    BOOTSTRAP_OWNER_EMAIL: OWNER.email,
    BOOTSTRAP_OWNER_PASSWORD: OWNER.password,
  },
  stdio: ['ignore', 'ignore', 'pipe'],
});

const url = await new Promise((resolve, reject) => {
  let text = '';
  server.stderr.on('data', (chunk) => {
    text += chunk;
    const found = /listening at (\S+)/.exec(text);
    if (found) resolve(found[1]);
  });
  server.once('exit', () => reject(new Error(text)));
});

async function refusal(email) {
  const begin = process.hrtime.bigint();
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'not the password 7' }),
  });
  await response.text();
  const milliseconds = Number(process.hrtime.bigint() - begin) / 1e6;
  if (response.status !== 401) throw new Error(`answered ${response.status}`);
  return milliseconds;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

try {
  const times = { known: [], unknown: [] };
  for (let round = -5; round < ROUNDS; round += 1) {
    const known = await refusal(OWNER.email);
    const unknown = await refusal(`nobody-${round}@example.com`);
    // The first few warm up what is compiled and connected on first use.
    if (round < 0) continue;
    times.known.push(known);
    times.unknown.push(unknown);
  }
  const known = median(times.known);
  const unknown = median(times.unknown);
  const difference = Math.abs(known - unknown) / Math.min(known, unknown);
  console.log(`wrong password, median of ${ROUNDS}: ${known.toFixed(1)} ms`);
  console.log(`unknown account, median of ${ROUNDS}: ${unknown.toFixed(1)} ms`);
  console.log(`difference: ${(difference * 100).toFixed(1)} % (at most ${MOST_DIFFERENCE * 100} %)`);
  process.exitCode = difference <= MOST_DIFFERENCE ? 0 : 1;
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('exit', resolve));
  rmSync(dataDir, { recursive: true, force: true });
}
