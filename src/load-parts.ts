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

/**
 * The program from the one file that the build made of it and its libraries: reading three thousand modules one by one
 * takes longer than all the rest of a start. Where that file is missing, or something was compiled after it (as
 * `nest start --watch` does), the modules themselves.
 */
export async function loadParts(): Promise<Parts> {
  return isBundled() ? compileBundle().parts() : import('./parts.js');
}

/** @returns the bundle, and the code of V8 that a build keeps of it */
export function compileBundle(): { parts: () => Parts; script: Script } {
  const cachedData = codeCache();
  // All of it is ASCII, which takes half the memory where V8 is told.
  const source = readFileSync(BUNDLE, 'latin1');
  const script = new Script(source, { filename: BUNDLE, ...(cachedData === null ? {} : { cachedData }) });
  return { parts: () => evaluate(script), script };
}

function evaluate(script: Script): Parts {
  const module = { exports: {} };
  const wrapper = script.runInThisContext() as (...scope: unknown[]) => void;
  wrapper(module.exports, createRequire(BUNDLE), module, dirname(BUNDLE));
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

/** What V8 made of the bundle when it was built; V8 refuses it by itself where it is another V8, or has other flags. */
function codeCache(): Buffer | null {
  try {
    return readFileSync(CODE_CACHE);
  } catch {
    return null;
  }
}
