import type { Settings } from '../config/index.js';
import { isBelow, pathOf } from '../http/index.js';
import type { Dialect } from './dialect.js';
import { DIALECTS } from './registry.js';

const NATIVE = '/api/v1';
const NATIVE_ASIDE = '/native/v1';

/** The dialects that this instance speaks. */
export class MountedDialects {
  readonly all: readonly Dialect[];

  constructor(settings: Pick<Settings, 'dialects'>) {
    this.all = DIALECTS.filter(({ name }) => settings.dialects.includes(name));
  }

  /** Where the native API is: elsewhere, if a dialect has its place. */
  get nativePath(): '/api/v1' | '/native/v1' {
    return this.all.some(({ basePath }) => isBelow(basePath, NATIVE)) ? NATIVE_ASIDE : NATIVE;
  }

  /** The dialect that a path belongs to; `null` for the native API and the product's own routes. */
  of(url: string): Dialect | null {
    const path = pathOf(url);
    return this.all.find(({ basePath }) => isBelow(path, basePath)) ?? null;
  }
}
