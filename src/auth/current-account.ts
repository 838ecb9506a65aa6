import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { UserPrincipal } from '../access/index.js';
import { type AccessTokenClaims, SessionsService } from '../sessions/index.js';
import { UsersService, type UserView } from '../users/index.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the access guard for the strategy to read: the route is one `@WithAccount()`, and the check is a statement. */
    wantsAccount?: boolean;
    /** Set by the strategy then: the account, fresh from the database. */
    account?: UserView;
  }
}

/** Checks a session and reads its user's account in one statement, where the check is a statement anyway. */
@Injectable()
export class CurrentAccount {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
  ) {}

  /** As `SessionsService.authenticate`, and puts the account by. @throws AuthError `invalid_token` */
  async authenticate(claims: AccessTokenClaims, request: FastifyRequest): Promise<UserPrincipal> {
    const view = await this.users.findViewBehind(claims.sid);
    if (view === null) return this.sessions.confirm(claims, null);
    request.account = view;
    return this.sessions.confirm(claims, { type: 'user', userId: view.user.id, sessionId: claims.sid, role: view.user.role });
  }
}
