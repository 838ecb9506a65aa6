import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { NIL as NIL_UUID } from 'uuid';
import type { UserPrincipal } from '../access/index.js';
import { Settings } from '../config/index.js';
import { requireLocalRequest } from '../http/index.js';
import { User, UsersService, type UserView } from '../users/index.js';

/** Stands in for the owner where there is none, with authentication switched off. */
const ANONYMOUS = 'anonymous';

/** `AUTH_DISABLED`: every request is the owner's, and by default only this machine may make one. */
@Injectable()
export class NoAuthentication {
  constructor(
    private readonly users: UsersService,
    private readonly settings: Settings,
  ) {}

  /** @throws AuthError `local_only` */
  async admit(request: FastifyRequest): Promise<UserPrincipal> {
    if (!this.settings.authDisabledRemote) {
      requireLocalRequest(request.raw, 'Authentication is switched off, so only this machine may ask.');
    }
    return { type: 'user', userId: (await this.users.findOwnerId()) ?? NIL_UUID, sessionId: null, role: 'owner' };
  }

  /** The account behind a principal that no row stands for; `null` for all others. */
  anonymous(principal: UserPrincipal): UserView | null {
    if (principal.userId !== NIL_UUID) return null;
    const since = new Date(0);
    const user = Object.assign(new User(), {
      id: NIL_UUID, email: null, username: ANONYMOUS, name: null, pictureUrl: null, role: 'owner', passwordChangedAt: null,
      disabledAt: null, lastLoginAt: null, createdAt: since, updatedAt: since,
    } satisfies Partial<User>);
    return { user, lockedUntil: null };
  }
}
