import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import type { Client } from '../http/index.js';
import { SessionsService } from '../sessions/index.js';
import { LoginThrottle } from './login-throttle.js';
import type { User } from './user.entity.js';
import { UsersService } from './users.service.js';

/** Gives an owner back the account that nobody could get into any more. */
@Injectable()
export class AccountRecovery {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly throttle: LoginThrottle,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Sets a new password, enables and unlocks the account, and ends its sessions, in a transaction that holds its row. The
   * caller has its credentials forgotten once that has committed (`PrincipalCache.changingUser`).
   */
  async recover(manager: EntityManager, user: User, passwordHash: string, client: Client): Promise<User> {
    const recovered = await this.users.update(manager, user.id, { passwordHash, disabledAt: null });
    await this.throttle.unlock(manager, user.id);
    const ended = await this.sessions.revokeAllOfUser(manager, user.id);
    const party = { type: 'user', id: user.id } as const;
    const detail = { enabled: user.disabledAt !== null, ended };
    await this.auditLog.record({ action: 'owner.recovered', actor: party, subject: party, client, detail }, manager);
    return recovered;
  }
}
