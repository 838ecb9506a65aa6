import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { ApiKeysService } from '../api-keys/index.js';
import { type AuditAction, AuditLog } from '../audit/index.js';
import { Settings } from '../config/index.js';
import { LOCKS, withLockInTurn } from '../database/index.js';
import { AuthError, type AuthErrorCode } from '../errors/index.js';
import { NO_CLIENT } from '../http/index.js';
import { PrincipalCache } from '../principals/index.js';
import { DeclaredAccounts, OwnAccount, UsersService } from '../users/index.js';
import { BootstrapError } from './bootstrap-error.js';
import { ClaimToken } from './claim-token.js';
import { SetupService } from './setup.service.js';

/** What the core refuses, in words for an operator. */
const REFUSALS: Partial<Record<AuthErrorCode, string>> = {
  email_taken: 'another account has this email address already; use another, or change that account first',
  username_taken: 'another account has this username already; use another, or change that account first',
};

/** The password may go once the owner is there; until then the names alone make nobody who could sign in. */
const NO_PASSWORD =
  'BOOTSTRAP_OWNER_PASSWORD is not set: there is no owner yet, and the one of BOOTSTRAP_OWNER_EMAIL or BOOTSTRAP_OWNER_USERNAME is to be made with it';

/**
 * Brings the first accounts and the first API key from the environment, when the module starts. Instances that start
 * together take turns on an advisory lock, so that what is made once is made once.
 */
@Injectable()
export class BootstrapService implements OnModuleInit {
  private readonly logger = new Logger('Bootstrap');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly settings: Settings,
    private readonly users: UsersService,
    private readonly declaredAccounts: DeclaredAccounts,
    private readonly ownAccount: OwnAccount,
    private readonly apiKeys: ApiKeysService,
    private readonly setup: SetupService,
    private readonly claimToken: ClaimToken,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
  ) {}

  async onModuleInit(): Promise<void> {
    const changed = await withLockInTurn(this.dataSource, LOCKS.bootstrap, async (manager) => {
      await this.makeOwner(manager);
      const admin = await this.matchAdmin(manager);
      const apiKey = await this.importApiKey(manager);
      if (await this.users.hasOwner(manager)) await this.setup.close(manager);
      else if (!this.settings.authDisabled) await this.setup.open(manager, this.claimToken.value);
      return { admin, apiKey };
    });
    if (changed.admin !== null) await this.cache.forgetUser(changed.admin);
    if (changed.apiKey !== null) await this.cache.forgetApiKey(null, changed.apiKey);
  }

  /** `BOOTSTRAP_OWNER_*`: an owner where there is none, never touched later. */
  private async makeOwner(manager: EntityManager): Promise<void> {
    const { bootstrapOwnerEmail: email = null, bootstrapOwnerUsername: username = null, bootstrapOwnerName: name } = this.settings;
    const { bootstrapOwnerPassword: password } = this.settings;
    if (email === null && username === null) return;
    if (await this.users.hasOwner(manager)) {
      // Whichever owner: the one made from the variables may be called otherwise by now.
      if (password !== undefined && (await this.users.hasOwner(manager, { signedIn: true }))) {
        this.logger.warn('BOOTSTRAP_OWNER_PASSWORD is still set, and the owner has signed in: remove it from the environment');
      }
      return;
    }
    if (password === undefined) throw new BootstrapError(NO_PASSWORD);
    const passwordHash = await this.explaining('BOOTSTRAP_OWNER_PASSWORD', () => this.ownAccount.hashChosen({ email, username, name, password }));
    const owner = await this.explaining('BOOTSTRAP_OWNER_EMAIL, BOOTSTRAP_OWNER_USERNAME', () =>
      this.users.create(manager, { email, username, name, role: 'owner', passwordHash }),
    );
    await this.record(manager, 'bootstrap.owner_created', 'user', owner.id);
    this.logger.log('The owner was created from BOOTSTRAP_OWNER_*');
  }

  /** `ADMIN_EMAIL`, `ADMIN_PASSWORD`: an owner that follows the variables. Returns the user it changed. */
  private async matchAdmin(manager: EntityManager): Promise<string | null> {
    const { adminEmail, adminPassword } = this.settings;
    if (adminEmail === undefined || adminPassword === undefined) return null;
    const { done, userId } = await this.explaining('ADMIN_EMAIL', () =>
      this.declaredAccounts.match(manager, adminEmail, adminPassword),
    );
    if (done === 'unchanged') return null;
    await this.record(manager, done === 'created' ? 'bootstrap.admin_created' : 'bootstrap.admin_updated', 'user', userId);
    this.logger.log(`The account of ADMIN_EMAIL was ${done}`);
    return userId;
  }

  /** `BOOTSTRAP_API_KEY`: a first key, the instance's own. @returns its id if it was there and may do something else from now on */
  private async importApiKey(manager: EntityManager): Promise<string | null> {
    const { bootstrapApiKey, bootstrapApiKeyScopes } = this.settings;
    if (bootstrapApiKey === undefined) return null;
    if (!this.apiKeys.isPlausible(bootstrapApiKey)) {
      throw new BootstrapError('BOOTSTRAP_API_KEY begins like one of our own keys, but its checksum is wrong: is it complete?');
    }
    const { done, id } = await this.apiKeys.import(manager, bootstrapApiKey, 'Bootstrap', [...bootstrapApiKeyScopes]);
    if (done === 'revoked') this.logger.warn('BOOTSTRAP_API_KEY has been revoked and stays so: set another one');
    if (done === 'changed') return id;
    if (done !== 'imported') return null;
    await this.record(manager, 'bootstrap.api_key_imported', 'api-key', id);
    this.logger.log('The API key of BOOTSTRAP_API_KEY was imported');
    return null;
  }

  private async explaining<T>(variables: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AuthError) && (error as Error).constructor !== Error) throw error;
      const reason = error instanceof AuthError ? reasonOf(error) : (error as Error).message;
      throw new BootstrapError(reason.startsWith(variables) ? reason : `${variables}: ${reason}`, { cause: error });
    }
  }

  private record(manager: EntityManager, action: AuditAction, type: 'user' | 'api-key', id: string): Promise<void> {
    return this.auditLog.record({ action, subject: { type, id }, client: NO_CLIENT }, manager);
  }
}

function reasonOf({ code, details: { fields: [fault] = [] }, message }: AuthError): string {
  if (fault?.rule === 'too_common') return 'this password is one of those that are tried first, or the name of its owner; use another';
  return REFUSALS[code] ?? fault?.message ?? message;
}
