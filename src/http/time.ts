import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsDate } from 'class-validator';

/** A date, or a date and a time with its offset, as in RFC 3339 §5.6: a time without an offset means anything. */
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/i;

/** A moment, as text in ISO 8601. `new Date` alone would take any number and years that PostgreSQL does not know. */
export function Time(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' && TIME.test(value) ? new Date(value.toUpperCase()) : value)),
    IsDate({ message: 'must be a time in ISO 8601, such as 2030-01-01T00:00:00Z' }),
    ApiProperty({ type: String, format: 'date-time', example: '2030-01-01T00:00:00.000Z' }),
  );
}
