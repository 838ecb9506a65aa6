import { isEmail } from 'class-validator';

/*
 * What names and scopes look like: requests and imports are held to the same rules as the environment, which is why these
 * stand at the bottom.
 */

const LONGEST_IDENTIFIER = 320;

/** The longest email address that an account may have. */
export const LONGEST_EMAIL = 254;

/** The longest username. */
export const LONGEST_USERNAME = 64;

/** Letters, digits and `._-`; no `@`, so that a username is never taken for an email address. */
const USERNAME = /^[\p{L}\p{N}](?:[\p{L}\p{N}._-]{0,62}[\p{L}\p{N}])?$/u;

const CONTROL = /\p{Cc}/u;

/** Scopes limit API keys: `resource:action`, `resource:*`, or `*` for everything. */
const SCOPE = /^(\*|[a-z0-9]+(-[a-z0-9]+)*:(\*|[a-z0-9]+(-[a-z0-9]+)*))$/;

/**
 * The form in which identifiers are compared: NFKC, lower case. Longer ones than any address can be are cut, so that a
 * body full of text costs no more than a short one.
 */
export function foldIdentifier(identifier: string): string {
  return identifier.slice(0, LONGEST_IDENTIFIER).normalize('NFKC').toLowerCase().slice(0, LONGEST_IDENTIFIER);
}

/** Whether something is an email address that an account may have. A host without a dot is one: `admin@local`. */
export function isEmailAddress(value: unknown): value is string {
  // Within quotes the standard lets line breaks stand (RFC 5322 §3.2.4); in an account's name they could only mislead.
  return holdsFolded(value, LONGEST_EMAIL, (text) => !CONTROL.test(text) && isEmail(text, { require_tld: false }));
}

/** Whether something is a username that an account may have. */
export function isUsername(value: unknown): value is string {
  return holdsFolded(value, LONGEST_USERNAME, (text) => USERNAME.test(text));
}

/** Whether a text is a scope at all. */
export function isScope(text: string): boolean {
  return SCOPE.test(text);
}

/**
 * Holds what was typed and its NFKC form to the same rule, for the second is what is compared: one character may stand
 * for eighteen, or for an `@`. The folded form has to fit as well: some letters grow when they become small.
 */
function holdsFolded(value: unknown, longest: number, holds: (text: string) => boolean): value is string {
  if (typeof value !== 'string' || [...value].length > longest || [...foldIdentifier(value)].length > longest) return false;
  return holds(value) && holds(value.normalize('NFKC'));
}
