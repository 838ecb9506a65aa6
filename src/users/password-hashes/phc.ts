/**
 * A hash in the PHC string format: `$id[$v=version][$name=value,…]$salt$hash`, salt and hash in base64 without padding
 * (https://github.com/P-H-C/phc-string-format).
 */
export interface PhcString {
  readonly id: string;
  readonly version: number | null;
  readonly parameters: ReadonlyMap<string, number>;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const FORM = /^\$([a-z0-9-]{1,32})(?:\$v=(0|[1-9]\d{0,3}))?(?:\$((?:[a-z]{1,8}=(?:0|[1-9]\d{0,9}))(?:,[a-z]{1,8}=(?:0|[1-9]\d{0,9})){0,7}))?\$([A-Za-z0-9+/]{1,256})\$([A-Za-z0-9+/]{1,256})$/;

/**
 * Reads a PHC string whose parameters are all whole numbers; `null` when it is none. A number with leading zeros and base64
 * with bits to spare are none, as the format has it: the library for Argon2 reads the text itself, and throws at them.
 */
export function parsePhc(text: string): PhcString | null {
  const [, id, version, parameters = '', salt = '', hash = ''] = FORM.exec(text) ?? [];
  if (id === undefined) return null;
  const pairs = parameters.split(',').filter((pair) => pair !== '').map((pair): [string, number] => {
    const [name = '', value] = pair.split('=');
    return [name, Number(value)];
  });
  const named = new Map(pairs);
  // Of a parameter that is named twice, nobody knows which one counts.
  if (named.size !== pairs.length) return null;
  const bytes = { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
  if (unpadded(bytes.salt) !== salt || unpadded(bytes.hash) !== hash) return null;
  return { id, version: version === undefined ? null : Number(version), parameters: named, ...bytes };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** A parameter must be there and lie within bounds; others than those named must not be there. */
export type Bounds = Readonly<Record<string, readonly [least: number, most: number]>>;

/** What is wrong with the parameters; `null` when they are within bounds, and there are no others. */
export function faultOfParameters({ parameters }: PhcString, bounds: Bounds): string | null {
  for (const [name, [least, most]] of Object.entries(bounds)) {
    const value = parameters.get(name);
    if (value === undefined) return `lacks the parameter ${name}`;
    if (value < least || value > most) return `has ${name}=${String(value)}, and ${String(least)} to ${String(most)} is accepted`;
  }
  const other = [...parameters.keys()].find((name) => !(name in bounds));
  return other === undefined ? null : `has a parameter that is not known: ${other}`;
}

/** Less can be guessed, or is found by chance; more is work for nothing. */
const SALT_BYTES = [8, 64] as const;
const HASH_BYTES = [16, 64] as const;

/** What is wrong with the lengths of salt and hash; `null` when nothing is. */
export function faultOfLengths({ salt, hash }: PhcString): string | null {
  if (!isWithin(salt.length, SALT_BYTES)) return `has a salt of ${String(salt.length)} bytes, and ${SALT_BYTES.join(' to ')} are accepted`;
  if (!isWithin(hash.length, HASH_BYTES)) return `is ${String(hash.length)} bytes long, and ${HASH_BYTES.join(' to ')} are accepted`;
  return null;
}

function isWithin(value: number, [least, most]: readonly [number, number]): boolean {
  return value >= least && value <= most;
}
