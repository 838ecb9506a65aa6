import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { ApiKeysService, generatePlainKey, type ImportedApiKey } from '../api-keys/index.js';
import { type AuditAction, AuditLog } from '../audit/index.js';
import { SecretFile, Settings, SettingsError } from '../config/index.js';
import { LOCKS, withLockInTurn } from '../database/index.js';
import { NO_CLIENT } from '../http/index.js';
import { PrincipalCache } from '../principals/index.js';
import { type Seed, SeededAccount, UsersService } from '../users/index.js';
import { BootstrapError } from './bootstrap-error.js';
import { isReached, MILESTONES, reach } from './milestones.js';
import { SetupService } from './setup.service.js';

/** A key of the instance's own that a wire has, one at a time. */
export interface InstanceKeyRequest {
  /** The wire that it is for; also the beginning of the name of its file. */
  wire: string;
  /** What the key is called in lists. */
  name: string;
  /** What the variable says, if it is set, and what it is called. */
  given: string | undefined;
  variable: string;
  /** How long a generated key is. */
  characters: number;
}

/** What became of the instance's key. */
export interface InstanceKey {
  /** A key that was generated and that nobody has seen yet. */
  generated: string | null;
  /** Where a generated key is kept, if that is here. */
  path: string | null;
}

const EVERYTHING = ['*'];

/**
 * What the first start brings into being for the wires that want it: under the same lock as the bootstrap, so that of
 * several instances that start together one does it.
 */
@Injectable()
export class Seeds {
  private readonly logger = new Logger('Bootstrap');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly settings: Settings,
    private readonly users: UsersService,
    private readonly seededAccount: SeededAccount,
    private readonly apiKeys: ApiKeysService,
    private readonly setup: SetupService,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Seeds an owner where there is no account at all and the environment makes none; no claim stays open then.
   * @returns whether it did
   */
  async owner(seed: Seed): Promise<boolean> {
    const { bootstrapOwnerPassword, adminPassword } = this.settings;
    if (bootstrapOwnerPassword !== undefined || adminPassword !== undefined) return false;
    return this.locked(async (manager) => {
      if (await this.users.hasUsers(manager)) {
        // Another instance may have made it since this one opened its claim.
        if (await this.users.hasOwner(manager)) await this.setup.close(manager);
        return false;
      }
      const user = await this.seededAccount.create(manager, seed);
      await this.setup.close(manager);
      await this.record(manager, 'bootstrap.owner_created', 'user', user.id);
      return true;
    });
  }

  /**
   * Gives the instance its key for a wire: the one of the variable, in place of any other, or one that is generated once
   * and kept in the data directory. The database is the truth: an instance that finds a key there generates none, and a
   * key in a file that the database does not know counts only as long as the database knows none at all.
   * @throws BootstrapError, SettingsError when the key cannot be used or kept
   */
  async instanceKey(request: InstanceKeyRequest): Promise<InstanceKey> {
    const ended: string[] = [];
    try {
      return await this.locked((manager) =>
        request.given === undefined
          ? this.generateKey(manager, request)
          : this.takeGivenKey(manager, request, request.given, ended),
      );
    } finally {
      await Promise.all(ended.map((id) => this.cache.forgetApiKey(null, id)));
    }
  }

  private async takeGivenKey(
    manager: EntityManager,
    { wire, name, variable }: InstanceKeyRequest,
    key: string,
    ended: string[],
  ): Promise<InstanceKey> {
    if (!this.apiKeys.isPlausible(key)) {
      throw new BootstrapError(`${variable} begins like one of our own keys, but its checksum is wrong: is it complete?`);
    }
    const { done, id } = await this.import(manager, key, name);
    if (done === 'revoked') {
      this.logger.warn(`${variable} is a key that has been revoked or replaced, and stays so: set another one`);
      return { generated: null, path: null };
    }
    for (const replaced of await this.apiKeys.revokeReplaced(manager, name, id)) {
      ended.push(replaced);
      await this.record(manager, 'api_key.revoked', 'api-key', replaced);
    }
    await reach(manager, MILESTONES.instanceKey(wire));
    return { generated: null, path: null };
  }

  private async generateKey(manager: EntityManager, { wire, name, variable, characters }: InstanceKeyRequest): Promise<InstanceKey> {
    const file = new SecretFile(this.settings.dataDir, {
      name: `${wire}-api-key`,
      make: () => generatePlainKey(characters),
      fewestCharacters: characters,
      whenDeleted: 'happens where the database has none yet',
    });
    if (await isReached(manager, MILESTONES.instanceKey(wire))) {
      const kept = file.read();
      return { generated: null, path: kept !== null && (await this.apiKeys.isInstanceKey(manager, kept)) ? file.path : null };
    }
    // The file comes first: a crash in between leaves a key that the next start takes up, never one that nobody knows.
    const key = keep(file, variable);
    const { done } = await this.import(manager, key, name);
    await reach(manager, MILESTONES.instanceKey(wire));
    return { generated: done === 'imported' ? key : null, path: file.path };
  }

  private async import(manager: EntityManager, key: string, name: string): Promise<ImportedApiKey> {
    const imported = await this.apiKeys.import(manager, key, name, EVERYTHING);
    if (imported.done === 'imported') await this.record(manager, 'bootstrap.api_key_imported', 'api-key', imported.id);
    return imported;
  }

  private locked<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return withLockInTurn(this.dataSource, LOCKS.bootstrap, work);
  }

  private record(manager: EntityManager, action: AuditAction, type: 'user' | 'api-key', id: string): Promise<void> {
    return this.auditLog.record({ action, subject: { type, id }, client: NO_CLIENT }, manager);
  }
}

function keep(file: SecretFile, variable: string): string {
  try {
    return file.readOrMake();
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new BootstrapError(`A generated key cannot be kept in DATA_DIR (${reason}): make that writable, or set ${variable}`, { cause: error });
  }
}
