import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength, MinLength, ValidateBy } from 'class-validator';

/**
 * A line of text: a string of `min` to `max` characters without control characters (PostgreSQL stores no NUL, and
 * a line break in a name forges log lines).
 */
export function Text(length: { min?: number; max: number }): PropertyDecorator {
  const min = length.min ?? 1;
  return applyDecorators(
    IsString({ message: 'must be a string' }),
    MinLength(min, { message: `must have at least ${String(min)} character${min === 1 ? '' : 's'}` }),
    MaxLength(length.max, { message: `must have at most ${String(length.max)} characters` }),
    Matches(/^[^\u0000-\u001f\u007f]*$/, { message: 'must not contain control characters' }),
    ApiProperty({ type: String, minLength: min, maxLength: length.max }),
  );
}

/**
 * More combining marks in a row than any writing system has (UAX #15, "Stream-Safe Text Format"). Bringing them into
 * order for NFKC takes quadratic time: a body full of them would stop the process for half a minute.
 */
const ENDLESS_MARKS = /\p{M}{31}/u;

/** A secret somebody typed or stored: any characters at all, but not none. */
export function Secret(): PropertyDecorator {
  return applyDecorators(
    IsString({ message: 'must be a string' }),
    MinLength(1, { message: 'must not be empty' }),
    Rule('noEndlessMarks', (value) => isSoundSecret(String(value)), UNSOUND_SECRET),
    ApiProperty({ type: String, format: 'password', minLength: 1 }),
  );
}

/** What is wrong with a secret that is not sound. */
export const UNSOUND_SECRET = 'must not have more than 30 combining marks in a row';

/** Whether a secret may be brought into its normal form at all: asked again where one is, for wires that read their own bodies. */
export function isSoundSecret(text: string): boolean {
  return !ENDLESS_MARKS.test(text);
}

/** A rule of our own on a field. */
export function Rule(name: string, holds: (value: unknown) => boolean, message: string): PropertyDecorator {
  return ValidateBy({ name, validator: { validate: holds, defaultMessage: () => message } });
}
