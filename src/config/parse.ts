/**
 * The readers of the kinds. What they cannot read they give back as it was: a text where a number belongs
 * is then refused by class-validator like any other wrong value.
 */

const WORDS = new Map([
  ['true', true], ['1', true], ['yes', true], ['on', true],
  ['false', false], ['0', false], ['no', false], ['off', false],
]);

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 };

/** Strict: no sign without need, no leading zeros, no exponent, no other base. */
export function parseInteger(text: string): number | string {
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : text;
}

/** `true/false`, `1/0`, `yes/no`, `on/off`, in any case. */
export function parseBoolean(text: string): boolean | string {
  return WORDS.get(text.toLowerCase()) ?? text;
}

/** `15m`, `24h`, `7d`, `30s` or plain seconds, as seconds. */
export function parseDuration(text: string): number | string {
  const [, count, unit = ''] = /^(\d+)([smhd])?$/.exec(text) ?? [];
  return count === undefined ? text : Number(count) * (UNIT_SECONDS[unit] ?? NaN);
}

/** Items between commas; the space around them and empty ones do not count. */
export function parseList(text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '');
}

/** A number is hops here, so `1` is one proxy and not `true`; no hops is nobody. */
export function parseProxies(text: string): boolean | number | string[] | string {
  if (text === '0') return false;
  const hops = parseInteger(text);
  if (typeof hops === 'number') return hops;
  const word = parseBoolean(text);
  return typeof word === 'boolean' ? word : parseList(text);
}
