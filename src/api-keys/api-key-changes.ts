import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ApiKeyChange } from './api-key-change.entity.js';

/** Who has to catch up with more than this may as well look at everything. */
const MOST_CHANGES = 10_000;
/** How long changes are kept; whoever has not looked for half of that may have missed some. */
export const KEPT_SECONDS = 600;

/**
 * Every change that became visible since the last look. Transactions do not become visible in the order of their
 * numbers, so a look begins with the oldest that was still under way at the last one; what comes twice does no harm.
 */
const CHANGES = `
  SELECT look.next, look.at, change.api_key_id, change.user_id
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS next, extract(epoch FROM clock_timestamp())::float8 AS at) look
    LEFT JOIN LATERAL (SELECT api_key_id, user_id FROM api_key_changes WHERE transaction_id >= $1::bigint LIMIT ${MOST_CHANGES + 1}) change ON true`;

interface ChangeRow {
  next: string;
  at: number;
  api_key_id: string | null;
  user_id: string | null;
}

/** Where a look at the changes ended, for the next one to go on from. */
export interface ChangesSeen {
  readonly next: bigint;
  /** Seconds since the epoch, by the database's clock. */
  readonly at: number;
}

/** What has changed since an earlier look. */
export interface Changes {
  readonly seen: ChangesSeen;
  /** `null`: perhaps everything. */
  readonly changed: { readonly apiKeyIds: ReadonlySet<string>; readonly userIds: ReadonlySet<string> } | null;
}

/** Which keys' rights have changed, and which users', for connections that outlive a request. */
@Injectable()
export class ApiKeyChanges {
  constructor(@InjectRepository(ApiKeyChange) private readonly changes: Repository<ApiKeyChange>) {}

  /** What has changed since an earlier look; `null` for the first. */
  async since(last: ChangesSeen | null): Promise<Changes> {
    const rows = await this.changes.manager.query<[ChangeRow, ...ChangeRow[]]>(CHANGES, [last === null ? null : String(last.next)]);
    const [{ next, at }] = rows;
    const seen = { next: BigInt(next), at };
    // Numbers that went back belong to another server: a backup, or a replica that took over and had not got everything.
    const isWhole = last !== null && seen.next >= last.next && Math.abs(at - last.at) < KEPT_SECONDS / 2 && rows.length <= MOST_CHANGES;
    if (!isWhole) return { seen, changed: null };
    const ids = (column: 'api_key_id' | 'user_id'): Set<string> => new Set(rows.flatMap((row) => row[column] ?? []));
    return { seen, changed: { apiKeyIds: ids('api_key_id'), userIds: ids('user_id') } };
  }
}
