import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { isEmail, ValidateBy } from 'class-validator';
import { Text } from '../http/index.js';

const LONGEST_IDENTIFIER = 320;
const LONGEST_EMAIL = 254;
const LONGEST_USERNAME = 64;

/**
 * The form in which identifiers are compared: NFKC, lower case. Longer ones than any address can be are cut, so that a
 * body full of text costs no more than a short one.
 */
export function foldIdentifier(identifier: string): string {
  return identifier.slice(0, LONGEST_IDENTIFIER).normalize('NFKC').toLowerCase().slice(0, LONGEST_IDENTIFIER);
}

const CONTROL = /\p{Cc}/u;

/** Letters, digits and `._-`; no `@`, so that a username is never taken for an email address. */
export const USERNAME = /^[\p{L}\p{N}](?:[\p{L}\p{N}._-]{0,62}[\p{L}\p{N}])?$/u;

/** An email address. A host without a dot is allowed: `admin@local` is an address inside a house. */
export function EmailAddress(): PropertyDecorator {
  return applyDecorators(
    Checked('isEmail', 'must be an email address', isEmailAddress),
    Text({ max: LONGEST_EMAIL }),
    ApiProperty({ type: String, format: 'email', maxLength: LONGEST_EMAIL, example: 'ada@example.com' }),
  );
}

/** A username. */
export function Username(): PropertyDecorator {
  const message = 'must be letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit';
  return applyDecorators(
    Checked('isUsername', message, isUsername),
    Text({ max: LONGEST_USERNAME }),
    ApiProperty({ type: String, maxLength: LONGEST_USERNAME, example: 'ada' }),
  );
}

/** Whether something is an email address that an account may have. */
export function isEmailAddress(value: unknown): value is string {
  // Within quotes the standard lets line breaks stand (RFC 5322 §3.2.4); in an account's name they could only mislead.
  return holdsFolded(value, LONGEST_EMAIL, (text) => !CONTROL.test(text) && isEmail(text, { require_tld: false }));
}

/** Whether something is a username that an account may have. */
export function isUsername(value: unknown): value is string {
  return holdsFolded(value, LONGEST_USERNAME, (text) => USERNAME.test(text));
}

/**
 * Holds what was typed and its NFKC form to the same rule, for the second is what is compared: one character may stand
 * for eighteen, or for an `@`. The folded form has to fit as well: some letters grow when they become small.
 */
function holdsFolded(value: unknown, longest: number, holds: (text: string) => boolean): value is string {
  if (typeof value !== 'string' || [...value].length > longest || [...foldIdentifier(value)].length > longest) return false;
  return holds(value) && holds(value.normalize('NFKC'));
}

function Checked(name: string, message: string, validate: (value: unknown) => boolean): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => message } });
}
