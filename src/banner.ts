import { processesOf, type Settings } from './config/index.js';
import { isReadable } from './log/index.js';
import type { ServerReport } from './worker-messages.js';

/**
 * Tells the operator where the server is and what to do next. It goes to where the log does not: a program that reads
 * JSON lines from standard output must not meet anything else there.
 */
export function banner(settings: Settings, server: ServerReport): void {
  const lines = ['', `Gatehouse is listening at ${server.url}`, `  API      ${server.url}${server.nativeApi}${moved(server)}`];
  for (const { name, basePath } of server.dialects) lines.push(`  Dialect  ${server.url}${basePath} (${name})`);
  if (settings.docsEnabled) lines.push(`  Docs     ${server.url}/docs`);
  lines.push(`  Data     ${settings.databaseUrl === undefined ? settings.dataDir : 'PostgreSQL at DATABASE_URL'}`);
  const processes = processesOf(settings);
  if (processes > 1) lines.push(`  Workers  ${String(processes)} processes`);
  if (settings.authDisabled) {
    const whose = settings.authDisabledRemote ? 'ANYBODY WHO CAN REACH THIS SERVER is its owner.' : 'Whoever is on this machine is its owner.';
    lines.push('', `WARNING: authentication is switched off. ${whose}`);
  }
  for (const notice of server.notices) lines.push('', notice);
  if (server.claimToken !== null) lines.push(...claim(server.url, server.claimToken, settings.passwordMinLength));
  const out = isReadable(settings) ? process.stdout : process.stderr;
  out.write(`${lines.join('\n')}\n\n`);
}

function moved({ dialects }: ServerReport): string {
  const [taker] = dialects.filter(({ basePath }) => basePath.startsWith('/api/v1'));
  return taker === undefined ? '' : ` (moved: ${taker.basePath} belongs to ${taker.name})`;
}

function claim(url: string, token: string, minLength: number): string[] {
  return [
    '',
    `There is no owner yet. Become the owner: fill in your address and a password of at least ${String(minLength)} characters.`,
    'It works once, within 7 days.',
    '',
    `  curl -X POST ${url}/setup -H 'Content-Type: application/json' \\`,
    `    -d '{"token":"${token}","email":"you@example.com","password":""}'`,
  ];
}
