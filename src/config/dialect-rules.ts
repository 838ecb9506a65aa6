import { wrongValue, type Fault } from './settings-error.js';
import type { Settings } from './settings.js';

/** What a dialect wants of the settings. The dialects stand above this folder, and are handed in by whoever loads. */
export interface DialectRules {
  /** As it is written in `DIALECTS`. */
  readonly name: string;
  /** Paths that are its alone, for telling which two cannot be mounted together. */
  readonly paths: readonly string[];
  /** Defaults of its own, by the variable's name, as one would write them. `PORT` holds where it is mounted alone. */
  readonly defaults?: Readonly<Partial<Record<'PORT' | 'REGISTRATION', string>>>;
  /** Variables that it cannot do without, and why; they must be given, whatever the database. */
  readonly requires?: readonly (keyof Settings)[];
  /** The variable that says how long its sessions last; its default must not be beyond `SESSION_MAX_AGE` either. */
  readonly sessionLifetime?: 'JWT_EXPIRES_IN' | 'JWT_EXPIRATION_MINUTES';
}

/** The dialects that `DIALECTS` names, of those that there are. */
export function mountedOf<D extends DialectRules>(names: readonly string[], dialects: readonly D[]): D[] {
  return dialects.filter(({ name }) => names.includes(name));
}

/** The default that the mounted dialects have for a variable, if any of them has one. */
export function dialectDefault(name: string, mounted: readonly DialectRules[]): string | undefined {
  if (name !== 'PORT' && name !== 'REGISTRATION') return undefined;
  // A server of several products listens where none of them alone would.
  if (name === 'PORT' && mounted.length > 1) return undefined;
  return mounted.map(({ defaults }) => defaults?.[name]).find((value) => value !== undefined);
}

/** Names that there are none of, and pairs that own the same path. */
export function checkDialects(names: readonly string[], dialects: readonly DialectRules[]): Fault[] {
  const known = dialects.map(({ name }) => name);
  const wants = `names with commas between, of ${known.join(', ')}`;
  const unknown = names.filter((name) => !known.includes(name));
  return [
    ...unknown.map((name) => wrongValue('DIALECTS', JSON.stringify(name), wants)),
    ...collisions(mountedOf(names, dialects)),
  ];
}

function collisions(mounted: readonly DialectRules[]): Fault[] {
  return mounted.flatMap((first, index) =>
    mounted.slice(index + 1).flatMap((second) => {
      const path = first.paths.find((one) => second.paths.includes(one));
      if (path === undefined) return [];
      const got = `${first.name} and ${second.name}, which both own ${path}`;
      return [wrongValue('DIALECTS', got, 'dialects with paths of their own; run them as two servers')];
    }),
  );
}
