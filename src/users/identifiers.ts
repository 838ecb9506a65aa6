import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { isEmailAddress, isUsername, LONGEST_EMAIL, LONGEST_USERNAME } from '../config/index.js';
import { Text } from '../http/index.js';

export { foldIdentifier, isEmailAddress, isUsername } from '../config/index.js';

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

function Checked(name: string, message: string, validate: (value: unknown) => boolean): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => message } });
}
