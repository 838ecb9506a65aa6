import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AuthService, type SignIn, type TokenPolicy } from '../auth/index.js';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import type { Client } from '../http/index.js';
import { SeededAccount, type User } from '../users/index.js';
import { SetupService } from './setup.service.js';

/**
 * The first run: whoever sits at the machine is signed in to the seeded account without a credential, until the set-up
 * is complete or the account has a password of its own.
 */
@Injectable()
export class FirstRun {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly settings: Settings,
    private readonly seededAccount: SeededAccount,
    private readonly setup: SetupService,
    private readonly auth: AuthService,
  ) {}

  /** Whether the set-up is open. */
  async isOpen(): Promise<boolean> {
    return (await this.openAccount(this.dataSource.manager)) !== null;
  }

  /** Signs in to the seeded account. @throws AuthError `setup_completed`, `local_only` */
  async signIn(policy: TokenPolicy, client: Client): Promise<SignIn> {
    return this.dataSource.transaction(async (manager) => {
      const user = await this.openAccount(manager);
      if (user === null) throw new AuthError('setup_completed');
      if (!client.isLocal && !this.settings.allowRemoteFirstRun) {
        throw new AuthError('local_only', { detail: 'Until the set-up is complete, only this machine may do that.' });
      }
      // Whoever changes the password waits for this, and then ends this session too; or was quicker, and it stays closed.
      await manager.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [user.id]);
      const locked = await this.openAccount(manager);
      if (locked === null) throw new AuthError('setup_completed');
      return this.auth.admit(locked, policy, client, manager);
    });
  }

  /** The account that may be signed in to; `null` when the set-up is closed. */
  private async openAccount(manager: EntityManager): Promise<User | null> {
    // A password that the operator chose is not for everybody at the machine.
    if (this.settings.localPassword !== undefined || (await this.setup.isComplete(manager))) return null;
    const seeded = await this.seededAccount.find(manager);
    return seeded?.hasDefaultPassword === true && seeded.user.disabledAt === null ? seeded.user : null;
  }
}
