import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import type * as PartsModule from './parts.js';

export type Parts = typeof PartsModule;

const LAST_COMPILED = fileURLToPath(new URL('./.tsbuildinfo', import.meta.url));
const BUNDLE = fileURLToPath(new URL('./bundle/parts.cjs', import.meta.url));
const CODE_CACHE = fileURLToPath(new URL('./bundle/parts.cache', import.meta.url));
const SEAL_BYTES = 32;

/**
 * Before Node 21 there is none, and the driver of PostgreSQL then makes a Response to find out where it runs, for which
 * Node loads all of fetch.
 */
const NAVIGATOR = { userAgent: 'Node.js' };

/** The program in one file, and the script that it is. */
export interface Bundle {
  parts: () => Parts;
  script: Script;
  /** Says which code belongs to it: for this content, and this Node. */
  seal: (code: Buffer) => Buffer;
}

/**
 * The program from the one file that the build made of it and its libraries: reading three thousand modules one by one
 * takes longer than all the rest of a start. Where that file is missing, or something was compiled after it (as
 * `nest start --watch` does), the modules themselves.
 *
 * To be called before any flag of V8 is set: it takes the code that was kept only with the flags that it was made with.
 */
export async function loadParts(): Promise<Parts> {
  return isBundled() ? compileBundle().parts() : import('./parts.js');
}

/** Compiles the bundle, with the code that V8 made of it when it was built where that is here and whole. */
export function compileBundle(): Bundle {
  // All of it is ASCII, which takes half the memory where V8 is told.
  const source = readFileSync(BUNDLE, 'latin1');
  // Its first line is a digest of the rest.
  const identity = source.slice(0, source.indexOf('\n'));
  const seal = (code: Buffer): Buffer =>
    createHash('sha256').update([process.version, process.arch, identity, ''].join('\n')).update(code).digest();
  const cachedData = codeCache(seal);
  const script = new Script(source, { filename: BUNDLE, ...(cachedData === null ? {} : { cachedData }) });
  return { parts: () => evaluate(script), script, seal };
}

function evaluate(script: Script): Parts {
  const module = { exports: {} };
  const wrapper = script.runInThisContext() as (...scope: unknown[]) => void;
  wrapper(module.exports, createRequire(BUNDLE), module, dirname(BUNDLE), (globalThis as { navigator?: object }).navigator ?? NAVIGATOR);
  return module.exports as Parts;
}

function isBundled(): boolean {
  const bundled = modifiedAt(BUNDLE);
  return bundled !== null && bundled >= (modifiedAt(LAST_COMPILED) ?? 0);
}

/** Milliseconds since 1970; `null` where there is no such file. */
function modifiedAt(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/** What was kept, if it was sealed: V8 itself would run the code of another source, and end the process over a broken one. */
function codeCache(seal: Bundle['seal']): Buffer | null {
  let file: Buffer;
  try {
    file = readFileSync(CODE_CACHE);
  } catch {
    return null;
  }
  const code = file.subarray(0, -SEAL_BYTES);
  return seal(code).equals(file.subarray(-SEAL_BYTES)) ? code : null;
}
