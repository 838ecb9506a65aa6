import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsDate } from 'class-validator';

/** A date, or a date and a time with its offset, as in RFC 3339 §5.6: a time without an offset means anything. */
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/i;

/** Whether the day at the beginning of a time is one: `new Date` makes the 2nd of March of a 30th of February. */
export function hasRealDay(time: string): boolean {
  const day = time.slice(0, 'yyyy-mm-dd'.length);
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

/** A moment, as text in ISO 8601. `new Date` alone would take any number and years that PostgreSQL does not know. */
export function Time(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (isTime(value) ? new Date(value.toUpperCase()) : value)),
    IsDate({ message: 'must be a time in ISO 8601, such as 2030-01-01T00:00:00Z' }),
    ApiProperty({ type: String, format: 'date-time', example: '2030-01-01T00:00:00.000Z' }),
  );
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && TIME.test(value) && hasRealDay(value);
}
