import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { validate as isUuid } from 'uuid';
import { invalidField } from '../errors/index.js';
import { Text } from './text.js';

const LARGEST_PAGE = 200;
const WRONG_LIMIT = `must be a whole number from 1 to ${String(LARGEST_PAGE)}`;

/** The query of every list: how many, and where to go on. */
export class PageQuery {
  /** How many items at most. */
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: WRONG_LIMIT })
  @Min(1, { message: WRONG_LIMIT })
  @Max(LARGEST_PAGE, { message: WRONG_LIMIT })
  @ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: LARGEST_PAGE, default: 50 })
  limit = 50;

  /** The `nextCursor` of the page before. */
  @IsOptional()
  @Text({ max: 100 })
  @ApiProperty({ required: false })
  cursor?: string;
}

/** One page of a list, newest first. */
export interface Page<Item> {
  items: Item[];
  /** `null` on the last page. */
  nextCursor: string | null;
}

/**
 * Cuts a page out of rows that were asked for with one more than `limit`, which tells whether there are more.
 * Rows are ordered by id, newest first: ids are UUIDv7, so that is also the order of creation.
 */
export function pageOf<Row extends { id: string }>(rows: Row[], limit: number): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? Buffer.from(last.id).toString('base64url') : null };
}

/**
 * The id after which the page goes on.
 * @throws AuthError `validation_failed` naming `cursor` when it is none of ours
 */
export function afterId(query: PageQuery): string | undefined {
  if (query.cursor === undefined) return undefined;
  const id = Buffer.from(query.cursor, 'base64url').toString('latin1');
  if (!isUuid(id)) throw invalidField('cursor', 'must be the nextCursor of an earlier answer');
  return id;
}
