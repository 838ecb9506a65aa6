import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import { Settings } from '../config/index.js';
import { type PreparedQuery, PreparedQueries } from '../database/index.js';
import { AuthError } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { Metrics } from '../metrics/index.js';
import { Gathered, PrincipalCache } from '../principals/index.js';
import { issueRefreshToken, type RefreshToken, verifyRefreshToken } from './refresh-token.js';
import { SigningKeys } from './signing-keys.js';

/** A session that was refreshed, with the refresh token to be used next. */
export interface RefreshedSession {
  sessionId: string;
  userId: string;
  refreshToken: string;
}

const NEXT = `refresh_counter = s.refresh_counter + s.rotating::int,
                rotated_at = now(),
                last_used_at = now(),
                expires_at = CASE WHEN s.rotating
                  THEN least(now() + make_interval(secs => s.refresh_ttl_seconds), s.created_at + make_interval(secs => $3::int))
                  ELSE s.expires_at END`;

const ROTATE: PreparedQuery = {
  name: 'rotate-session',
  text: `UPDATE sessions s
            SET ${NEXT}
           FROM users u
          WHERE s.id = $1 AND s.refresh_counter = $2 AND s.revoked_at IS NULL AND s.expires_at > now()
            AND u.id = s.user_id AND u.disabled_at IS NULL
          RETURNING s.user_id, s.refresh_counter`,
};

// Rows that somebody holds are left out: nobody waits for another's session, and no two such statements for each other.
// The arrays are subqueries: of plain ones PostgreSQL would look at the length, and plan each execution anew.
const ROTATE_FREE: PreparedQuery = {
  name: 'rotate-free-sessions',
  text: `WITH free AS (
           SELECT s.id, asked.counter
             FROM unnest((SELECT $1::uuid[]), (SELECT $2::int[])) AS asked (id, counter)
             JOIN sessions s ON s.id = asked.id AND s.refresh_counter = asked.counter
             JOIN users u ON u.id = s.user_id
            WHERE s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL
              FOR NO KEY UPDATE OF s SKIP LOCKED)
         UPDATE sessions s
            SET ${NEXT}
           FROM free
          WHERE s.id = free.id
          RETURNING s.id, free.counter, s.user_id, s.refresh_counter`,
};

interface RotatedRow {
  user_id: string;
  refresh_counter: number;
}

interface FreeRow extends RotatedRow {
  id: string;
  counter: number;
}

interface ReplayedRow extends RotatedRow {
  alive: boolean;
  in_grace: boolean;
}

/** How a refresh ends; the two kinds of `invalid_grant` apart. */
const REFRESH_RESULTS = ['success', 'repeated', 'reused', 'invalid_grant'] as const;

/**
 * Rotation of refresh tokens with detection of reuse (RFC 9700 §4.14.2). A session holds a counter, a token names the
 * counter it was issued for, and one conditional UPDATE moves both on, so that of any number of parallel requests
 * exactly one rotates. Those that arrive together share a statement.
 */
@Injectable()
export class SessionRotation {
  private readonly free = new Gathered<RefreshToken, RotatedRow | null>((tokens) => this.rotateFree(tokens));
  private readonly results: Record<(typeof REFRESH_RESULTS)[number], number>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly queries: PreparedQueries,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
    private readonly keys: SigningKeys,
    private readonly settings: Settings,
    metrics: Metrics,
  ) {
    this.results = metrics.tally({ name: 'gatehouse_refreshes_total', help: 'Refresh tokens that were presented, by what came of it.' }, 'result', REFRESH_RESULTS);
  }

  /** The first refresh token of a session. */
  firstToken(sessionId: string): string {
    return issueRefreshToken(this.keys, { sessionId, counter: 0 });
  }

  /** The session that a refresh token was issued for, good or not; `null` when it is none of ours. */
  sessionOf(refreshToken: string): string | null {
    return verifyRefreshToken(this.keys, refreshToken)?.sessionId ?? null;
  }

  /**
   * Exchanges a refresh token for its successor. The one just replaced gets that same successor again within
   * `REFRESH_REUSE_GRACE` (two tabs, or an answer that was lost); anything older ends the session.
   * @throws AuthError `invalid_grant`
   */
  async rotate(refreshToken: string, client: Client): Promise<RefreshedSession> {
    const token = verifyRefreshToken(this.keys, refreshToken);
    if (token === null) throw this.refusal('invalid_grant');
    const row = (await this.free.ask(token)) ?? (await this.rotateHeld(token));
    if (row !== null) this.results.success += 1;
    const rotated = row ?? (await this.replay(token, client));
    return {
      sessionId: token.sessionId,
      userId: rotated.user_id,
      refreshToken: issueRefreshToken(this.keys, { sessionId: token.sessionId, counter: rotated.refresh_counter }),
    };
  }

  /** Rotates the sessions that nobody holds. Of two equal tokens one gets the row; the other asks again. */
  private async rotateFree(tokens: readonly RefreshToken[]): Promise<readonly (RotatedRow | null)[]> {
    const ids = tokens.map(({ sessionId }) => sessionId);
    const counters = tokens.map(({ counter }) => String(counter));
    const rows = await this.queries.all<FreeRow>(ROTATE_FREE, [ids, counters, this.settings.sessionMaxAge]);
    const rotated = new Map(rows.map((row) => [`${row.id}.${String(row.counter)}`, row]));
    return tokens.map(({ sessionId, counter }) => {
      const key = `${sessionId}.${String(counter)}`;
      const row = rotated.get(key) ?? null;
      rotated.delete(key);
      return row;
    });
  }

  /** Rotates a session that somebody holds, once he is done with it: he may have left it as it was. */
  private rotateHeld({ sessionId, counter }: RefreshToken): Promise<RotatedRow | null> {
    return this.queries.first<RotatedRow>(ROTATE, [sessionId, counter, this.settings.sessionMaxAge]);
  }

  /** A token that is not the current one: its parent in grace, or one that nobody should still be using. */
  private async replay(token: RefreshToken, client: Client): Promise<RotatedRow> {
    let endedOf: string | null = null;
    const replayed = await this.cache.changing(
      () => this.dataSource.transaction<RotatedRow | 'invalid_grant' | 'reused'>(async (manager) => {
        const [found] = await manager.query<ReplayedRow[]>(
          `SELECT s.user_id, s.refresh_counter,
                  s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL AS alive,
                  coalesce(s.rotated_at > now() - make_interval(secs => $2::int), false) AS in_grace
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 FOR UPDATE OF s`,
          [token.sessionId, this.settings.refreshReuseGrace],
        );
        if (found === undefined || !found.alive || token.counter > found.refresh_counter) return 'invalid_grant';
        if (token.counter === found.refresh_counter - 1 && found.in_grace) return found;
        endedOf = found.user_id;
        await manager.query('UPDATE sessions SET revoked_at = now() WHERE id = $1', [token.sessionId]);
        await this.auditLog.record(
          {
            action: 'refresh.reused',
            outcome: 'failure',
            subject: { type: 'user', id: found.user_id },
            sessionId: token.sessionId,
            client,
            detail: { sessionId: token.sessionId },
          },
          manager,
        );
        return 'reused';
      }),
      async () => { if (endedOf !== null) await this.cache.forgetSession(endedOf, token.sessionId); },
    );
    // Thrown only now: the end of the session must be committed, not rolled back with the refusal.
    if (typeof replayed === 'string') throw this.refusal(replayed);
    this.results.repeated += 1;
    return replayed;
  }

  private refusal(result: 'invalid_grant' | 'reused'): AuthError {
    this.results[result] += 1;
    return new AuthError('invalid_grant');
  }
}
