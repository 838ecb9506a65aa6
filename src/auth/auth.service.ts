import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { FastifyRequest } from 'fastify';
import { DataSource, type EntityManager } from 'typeorm';
import { v4 as uuidv4 } from 'uuid';
import type { Principal, UserPrincipal } from '../access/index.js';
import { AuditLog, partyOf } from '../audit/index.js';
import { AuthError } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { Metrics } from '../metrics/index.js';
import { PrincipalCache } from '../principals/index.js';
import { AccessTokensService, SessionRotation, SessionsService } from '../sessions/index.js';
import { type Credentials, OwnAccount, PasswordLogin, type Registration, type User, UsersService } from '../users/index.js';
import { NoAuthentication } from './no-authentication.js';
import type { TokenPolicy } from './token-policy.js';

/** Tokens for a session. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
}

/** Somebody who just signed in. */
export interface SignIn extends Tokens {
  user: User;
  sessionId: string;
}

/** Somebody who just signed in with a password: from a known device that goes while a stranger has the account locked. */
export interface PasswordSignIn extends SignIn {
  lockedUntil: Date | null;
}

/** How a login ends: well, or with one of these refusals, or `error` where nobody could tell whether it was right. */
const LOGIN_RESULTS = [
  'success', 'invalid_credentials', 'account_locked', 'account_disabled', 'local_only', 'validation_failed', 'overloaded', 'error',
] as const;

/** Signing in, staying signed in and signing out: the same for every wire. */
@Injectable()
export class AuthService {
  private readonly logins: Record<(typeof LOGIN_RESULTS)[number], number>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly ownAccount: OwnAccount,
    private readonly passwordLogin: PasswordLogin,
    private readonly sessions: SessionsService,
    private readonly rotation: SessionRotation,
    private readonly accessTokens: AccessTokensService,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
    private readonly noAuthentication: NoAuthentication,
    metrics: Metrics,
  ) {
    this.logins = metrics.tally({ name: 'gatehouse_logins_total', help: 'Logins with a password, on every wire, by what came of them.' }, 'result', LOGIN_RESULTS);
  }

  /**
   * Signs in with a password.
   * @throws AuthError `invalid_credentials`, `account_locked`, `account_disabled`, `overloaded`
   */
  async login(credentials: Credentials, policy: TokenPolicy, client: Client): Promise<PasswordSignIn> {
    try {
      const signIn = await this.passwordLogin.signIn(credentials, client, async (manager, { user, lockedUntil }) => ({
        ...(await this.startSession(manager, user, policy, client)),
        lockedUntil,
      }));
      this.logins.success += 1;
      return signIn;
    } catch (error) {
      const code = error instanceof AuthError ? error.code : 'error';
      this.logins[LOGIN_RESULTS.find((result) => result === code) ?? 'error'] += 1;
      throw error;
    }
  }

  /**
   * Makes an account and signs it in.
   * @throws AuthError `validation_failed`, `email_taken`, `username_taken`, `overloaded`
   */
  async register(account: Registration, policy: TokenPolicy, client: Client, minLength?: number): Promise<SignIn> {
    const passwordHash = await this.ownAccount.hashChosen(account, minLength);
    return this.dataSource.transaction(async (manager) => {
      const user = await this.ownAccount.register(manager, account, passwordHash, client);
      return this.startSession(manager, user, policy, client);
    });
  }

  /** The account behind a principal, fresh from the database. */
  async account(principal: UserPrincipal): Promise<User> {
    return this.noAuthentication.anonymous(principal)?.user ?? (await this.users.get(principal.userId));
  }

  /** The account behind whatever asks, an API key's included; `null` for a key of the instance itself. */
  async accountBehind(principal: Principal): Promise<User | null> {
    if (principal.type === 'user') return this.account(principal);
    return principal.userId === null ? null : this.users.get(principal.userId);
  }

  /** Exchanges a refresh token. @throws AuthError `invalid_grant` */
  async refresh(refreshToken: string, policy: TokenPolicy, client: Client): Promise<Tokens> {
    const refreshed = await this.rotation.rotate(refreshToken, client);
    const claims = policy.claims?.(await this.users.get(refreshed.userId));
    return {
      accessToken: this.accessTokens.issue(refreshed.userId, refreshed.sessionId, policy.accessTtlSeconds, claims),
      refreshToken: refreshed.refreshToken,
      expiresIn: policy.accessTtlSeconds,
    };
  }

  /**
   * Ends the session in use: its access and refresh tokens both.
   * @param refreshToken ends the session that it belongs to as well, if that is the same user's
   */
  async logout(principal: UserPrincipal, client: Client, refreshToken?: string): Promise<void> {
    const other = refreshToken === undefined ? null : this.rotation.sessionOf(refreshToken);
    // The one in use last: if something fails, the same request can be made again. Without authentication there is none.
    for (const sessionId of [other, principal.sessionId]) {
      if (sessionId !== null) await this.end(principal.userId, sessionId, client);
    }
  }

  /** Ends every session of the user but the one in use. */
  async endOtherSessions(principal: UserPrincipal, client: Client): Promise<void> {
    const subject = { type: 'user', id: principal.userId } as const;
    await this.cache.changingUser(principal.userId, () =>
      this.dataSource.transaction(async (manager) => {
        // A session that is being renewed has its successor by then, which ends with the others.
        await manager.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [principal.userId]);
        const ended = await this.sessions.revokeAllOfUser(manager, principal.userId, principal.sessionId);
        await this.auditLog.record(
          { action: 'sessions.ended', actor: partyOf(principal), subject, client, detail: { ended } },
          manager,
        );
      }),
    );
  }

  /**
   * Signs in as a user without asking for a password, where a wire's page says so (a first run, authentication that is
   * switched off). The caller has decided that it may.
   */
  async admit(user: User, policy: TokenPolicy, client: Client, manager?: EntityManager): Promise<SignIn> {
    if (manager !== undefined) return this.startSession(manager, user, policy, client);
    return this.dataSource.transaction((own) => this.startSession(own, user, policy, client));
  }

  /**
   * Replaces the session in use by a new one: for wires whose tokens tell of what has just changed. One that has been
   * ended in the meantime has no successor.
   * @throws AuthError `invalid_token`
   */
  async renew(principal: UserPrincipal, policy: TokenPolicy, client: Client): Promise<SignIn> {
    const { userId, sessionId } = principal;
    if (sessionId === null) throw new AuthError('invalid_token', { detail: 'There is no session to renew.' });
    return this.sessions.forgetting(userId, sessionId, () =>
      this.dataSource.transaction(async (manager) => {
        // Whoever ends all sessions of the account waits for this, and then ends the new one too; or was quicker.
        await manager.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
        if (!(await this.sessions.end(manager, userId, sessionId))) throw new AuthError('invalid_token', { reason: 'revoked' });
        return this.startSession(manager, await this.users.get(userId, manager), policy, client);
      }),
    );
  }

  /**
   * Lets anybody in where authentication is switched off, as the owner. There is no session behind the token: nobody has
   * anything left of it once authentication is on again.
   * @throws AuthError `local_only`
   */
  async admitAnybody(request: FastifyRequest, policy: TokenPolicy): Promise<SignIn> {
    const user = await this.account(await this.noAuthentication.admit(request));
    return this.signInOf(user, uuidv4(), policy);
  }

  private async end(userId: string, sessionId: string, client: Client): Promise<void> {
    try {
      await this.sessions.revoke(userId, sessionId, client);
    } catch (error) {
      // Over already, perhaps since this request was on its way, or somebody else's: there is nothing to end.
      if (!(error instanceof AuthError && error.code === 'not_found')) throw error;
    }
  }

  private async startSession(manager: EntityManager, user: User, policy: TokenPolicy, client: Client): Promise<SignIn> {
    const { dialect, rotating, sessionTtlSeconds: ttlSeconds } = policy;
    const sessionId = await this.sessions.start(manager, { userId: user.id, ttlSeconds, rotating, dialect, client });
    return this.signInOf(user, sessionId, policy);
  }

  private signInOf(user: User, sessionId: string, { accessTtlSeconds, claims }: TokenPolicy): SignIn {
    return {
      user,
      sessionId,
      accessToken: this.accessTokens.issue(user.id, sessionId, accessTtlSeconds, claims?.(user)),
      refreshToken: this.rotation.firstToken(sessionId),
      expiresIn: accessTtlSeconds,
    };
  }
}
