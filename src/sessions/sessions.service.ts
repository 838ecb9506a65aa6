import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, LessThan, MoreThan, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Role, UserPrincipal } from '../access/index.js';
import { AuditLog } from '../audit/index.js';
import { Settings } from '../config/index.js';
import { LastUseRecorder, type PreparedQuery, PreparedQueries } from '../database/index.js';
import { AuthError } from '../errors/index.js';
import { afterId, type Client, type Page, pageOf, type PageQuery } from '../http/index.js';
import { Metrics } from '../metrics/index.js';
import { type Checked, type Gathered, gatheredRows, PrincipalCache } from '../principals/index.js';
import type { AccessTokenClaims } from './access-tokens.service.js';
import { Session } from './session.entity.js';

/** How a session begins. */
export interface NewSession {
  userId: string;
  /** Seconds until it ends unless it is refreshed. */
  ttlSeconds: number;
  /** Whether its refresh token changes with every use, which also makes the session slide. */
  rotating: boolean;
  dialect: string | null;
  client: Client;
}

// As a subquery: of a plain array PostgreSQL would look at the length, and plan each execution anew.
const LIVE_SESSIONS: PreparedQuery = {
  name: 'live-sessions',
  text: `SELECT s.id AS key, s.user_id, u.role, (EXTRACT(EPOCH FROM s.expires_at) - EXTRACT(EPOCH FROM now())) * 1000 AS remaining_ms
           FROM sessions s JOIN users u ON u.id = s.user_id
          WHERE s.id = ANY(ARRAY(SELECT unnest($1::uuid[]))) AND s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL`,
};

const END_SESSION = `UPDATE sessions SET revoked_at = now() WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()`;

interface LiveSessionRow {
  key: string;
  user_id: string;
  role: Role;
  remaining_ms: string;
}

const CHECK_RESULTS = ['success', 'expired', 'revoked', 'unknown'] as const;

/** Starts, checks and ends sessions. */
@Injectable()
export class SessionsService implements OnApplicationShutdown {
  private readonly liveSessions: Gathered<string, LiveSessionRow | null>;
  private readonly lastUse: LastUseRecorder;
  private readonly checks: Record<(typeof CHECK_RESULTS)[number], number>;

  constructor(
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    queries: PreparedQueries,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
    private readonly settings: Settings,
    metrics: Metrics,
  ) {
    this.checks = metrics.tally({ name: 'gatehouse_session_checks_total', help: 'Checks whether the session of an access token is alive.' }, 'result', CHECK_RESULTS);
    this.liveSessions = gatheredRows((ids) => queries.all<LiveSessionRow>(LIVE_SESSIONS, [ids]));
    const logger = new Logger(SessionsService.name);
    this.lastUse = new LastUseRecorder(sessions.manager.dataSource, 'sessions', (error) => {
      logger.warn(`The last use of sessions could not be written: ${String(error)}`);
    });
  }

  /**
   * Starts a session in the transaction that found its user to be good, and records the login. The caller holds the
   * account's row: whoever changes the password does so too, and would miss a session that is not committed yet.
   */
  async start(manager: EntityManager, { userId, ttlSeconds, rotating, dialect, client }: NewSession): Promise<string> {
    const id = uuidv7();
    const party = { type: 'user', id: userId } as const;
    await this.auditLog.recordChange(
      {
        text: `INSERT INTO sessions (id, user_id, expires_at, refresh_ttl_seconds, rotating, dialect, ip_address, user_agent)
               VALUES ($1, $2, now() + make_interval(secs => least($3::int, $4::int)), $3::int, $5, $6, $7, $8) RETURNING id`,
        values: [id, userId, ttlSeconds, this.settings.sessionMaxAge, rotating, dialect, client.ipAddress, client.userAgent],
      },
      { action: 'login.succeeded', actor: party, subject: party, sessionId: id, client, detail: { sessionId: id, dialect } },
      manager,
    );
    return id;
  }

  /**
   * The user behind verified claims, if the session is alive and the user is not disabled at this moment. Not a promise
   * where that is known here and now.
   * @throws AuthError `invalid_token`, through the promise
   */
  authenticate(claims: AccessTokenClaims): UserPrincipal | Promise<UserPrincipal> {
    const known = this.cache.sessionAtHand(claims.sid);
    if (known?.userId !== claims.sub) return this.check(claims);
    this.checks.success += 1;
    this.lastUse.touch(claims.sid);
    return known;
  }

  /**
   * Asks once more, inside a transaction that must not happen without the session. Where authentication is switched off
   * there is none to ask for.
   * @throws AuthError `invalid_token`
   */
  async requireAlive(manager: EntityManager, { userId, sessionId }: UserPrincipal): Promise<void> {
    if (sessionId === null) return;
    const alive = await manager.existsBy(Session, { id: sessionId, userId, revokedAt: IsNull(), expiresAt: MoreThan(new Date()) });
    if (!alive) throw new AuthError('invalid_token', { reason: 'revoked' });
  }

  /** Sessions that are alive, newest first: a user's, or everybody's. */
  async findLive(userId: string | null, page: PageQuery): Promise<Page<Session>> {
    const after = afterId(page);
    const rows = await this.sessions.find({
      where: {
        ...(userId === null ? {} : { userId }),
        revokedAt: IsNull(),
        expiresAt: MoreThan(new Date()),
        ...(after === undefined ? {} : { id: LessThan(after) }),
      },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
    return pageOf(rows, page.limit);
  }

  /** Whose session it is or was; `null` when there is no such session. */
  async findUserId(sessionId: string): Promise<string | null> {
    const session = await this.sessions.findOne({ where: { id: sessionId }, select: { id: true, userId: true } });
    return session?.userId ?? null;
  }

  /**
   * Ends one session of a user: from the moment this returns, no token of it is accepted anywhere.
   * @throws AuthError `not_found` when the user has no such session that is alive
   */
  async revoke(userId: string, sessionId: string, client: Client): Promise<void> {
    const ended = await this.forgetting(userId, sessionId, () =>
      this.auditLog.recordChange(
        { text: `${END_SESSION} RETURNING id`, values: [sessionId, userId] },
        { action: 'session.ended', actor: { type: 'user', id: userId }, subject: { type: 'session', id: sessionId }, sessionId, client },
      ),
    );
    if (!ended) throw new AuthError('not_found');
  }

  /**
   * Ends all sessions of a user, but for one if it is named, in a transaction that does more. The caller has the user's
   * credentials forgotten once that has committed (`PrincipalCache.changingUser`).
   * @returns how many were ended
   */
  async revokeAllOfUser(manager: EntityManager, userId: string, exceptSessionId: string | null = null): Promise<number> {
    const [, ended] = await manager.query<[unknown, number]>(
      `UPDATE sessions SET revoked_at = now()
        WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL AND expires_at > now()`,
      [userId, exceptSessionId],
    );
    return ended;
  }

  /** Runs a change that ends a session of a user, and has it forgotten (`PrincipalCache.changing`). */
  forgetting<T>(userId: string, sessionId: string, change: () => Promise<T>): Promise<T> {
    return this.cache.changing(change, () => this.cache.forgetSession(userId, sessionId));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.lastUse.close();
  }

  /**
   * Says of a session that somebody else has looked up, together with what they were after, what `authenticate` says.
   * @param principal the user behind the session, or `null` when it is not alive
   * @throws AuthError `invalid_token`
   */
  async confirm(claims: AccessTokenClaims, principal: UserPrincipal | null): Promise<UserPrincipal> {
    if (principal === null) {
      const details = await this.reasonFor(claims.sid);
      this.checks[details.reason ?? 'unknown'] += 1;
      throw new AuthError('invalid_token', details);
    }
    if (principal.userId !== claims.sub) throw new AuthError('invalid_token');
    this.checks.success += 1;
    this.lastUse.touch(claims.sid);
    return principal;
  }

  private async check(claims: AccessTokenClaims): Promise<UserPrincipal> {
    return this.confirm(claims, await this.cache.session(claims.sid, claims.sub, () => this.load(claims.sid)));
  }

  /** Why a session is not alive, for wires that tell. That its user is disabled or gone is nobody's business. */
  private async reasonFor(sessionId: string): Promise<{ reason?: 'revoked' | 'expired' }> {
    const [row] = await this.sessions.query<{ revoked: boolean; disabled: boolean }[]>(
      `SELECT s.revoked_at IS NOT NULL AS revoked, u.disabled_at IS NOT NULL AS disabled
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1`,
      [sessionId],
    );
    if (row === undefined || row.disabled) return {};
    return { reason: row.revoked ? 'revoked' : 'expired' };
  }

  /**
   * Marks one session as over, in a transaction that does more; `false` when it already was, or is not the user's. The
   * caller has it forgotten once that has committed (`forgetting`).
   */
  async end(manager: EntityManager, userId: string, sessionId: string): Promise<boolean> {
    const [, ended] = await manager.query<[unknown, number]>(END_SESSION, [sessionId, userId]);
    return ended > 0;
  }

  private async load(sessionId: string): Promise<Checked<UserPrincipal> | null> {
    const row = await this.liveSessions.ask(sessionId);
    if (row === null) return null;
    return {
      principal: { type: 'user', userId: row.user_id, sessionId, role: row.role },
      // By PostgreSQL's clock: how long from now, not until when.
      expiresAt: Date.now() + Number(row.remaining_ms),
    };
  }
}
