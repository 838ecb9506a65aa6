import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, LessThan, Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { ApiKeyPrincipal, Principal, ResourceBinding, Role, UserPrincipal } from '../access/index.js';
import { type AuditAction, type AuditDetail, AuditLog, partyOf } from '../audit/index.js';
import { Settings } from '../config/index.js';
import { LastUseRecorder, type PreparedQuery, PreparedQueries } from '../database/index.js';
import { AuthError } from '../errors/index.js';
import { afterId, type Client, type Page, pageOf, type PageQuery } from '../http/index.js';
import { Metrics } from '../metrics/index.js';
import { type Checked, type Gathered, gatheredRows, PrincipalCache } from '../principals/index.js';
import { generateApiKey, hashApiKey, isPlausibleApiKey, type KnownKey, shownPrefix } from './api-key-format.js';
import { isAdministrator, requireControl, requireGrant, requireReach } from './api-key-rules.js';
import { ApiKey } from './api-key.entity.js';

/** What a key is made of. */
export interface ApiKeyRequest {
  name: string;
  scopes: string[];
  expiresAt: Date | null;
  resource: ResourceBinding | null;
}

/** A key that was just made, with the only copy of the key itself. */
export interface IssuedApiKey {
  apiKey: ApiKey;
  key: string;
}

/** What a key that was adopted is now. */
export interface AdoptedApiKey {
  apiKey: ApiKey;
  /** `false`: it was there before. */
  done: boolean;
}

/** What importing a key did. */
export interface ImportedApiKey {
  done: 'imported' | 'known' | 'changed' | 'revoked';
  id: string;
}

/** Whose keys to list: one's own, a user's, the instance's own, or all. */
export type KeyOwner = { own: true } | { userId: string } | { instance: true } | { everybody: true };

/** Keys that are good at this moment, found by what follows. */
const LIVE_KEYS_WHERE = `
         SELECT encode(k.key_hash, 'base64') AS key, k.id, k.user_id, u.role, k.scopes, k.resource_type, k.resource_id,
                (EXTRACT(EPOCH FROM least(k.expires_at, k.retires_at)) - EXTRACT(EPOCH FROM now())) * 1000 AS remaining_ms
           FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
          WHERE k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > now()) AND (k.retires_at IS NULL OR k.retires_at > now())
            AND u.disabled_at IS NULL AND `;

const BY_HASH: PreparedQuery = {
  name: 'live-api-keys',
  text: `${LIVE_KEYS_WHERE} k.key_hash = ANY(ARRAY(SELECT decode(hash, 'base64') FROM unnest($1::text[]) AS hash))`,
};
const BY_ID = `${LIVE_KEYS_WHERE} k.id = ANY($1::uuid[])`;

/** Asked only when a key was refused. */
const WHY_REFUSED = `
  SELECT revoked_at IS NULL AND least(expires_at, retires_at) <= now() AS expired FROM api_keys WHERE key_hash = $1`;

interface LiveApiKeyRow {
  /** The key's hash. */
  key: string;
  id: string;
  user_id: string | null;
  role: Role | null;
  scopes: string[];
  resource_type: string | null;
  resource_id: string | null;
  remaining_ms: string | null;
}

const CHECK_RESULTS = ['success', 'malformed', 'unknown', 'expired', 'revoked'] as const;

/** Issues, checks, rotates and revokes API keys. */
@Injectable()
export class ApiKeysService implements OnApplicationShutdown {
  private readonly liveKeys: Gathered<string, LiveApiKeyRow | null>;
  private readonly lastUse: LastUseRecorder;
  private readonly checks: Record<(typeof CHECK_RESULTS)[number], number>;

  constructor(
    @InjectRepository(ApiKey) private readonly apiKeys: Repository<ApiKey>,
    queries: PreparedQueries,
    private readonly cache: PrincipalCache,
    private readonly auditLog: AuditLog,
    private readonly settings: Settings,
    metrics: Metrics,
  ) {
    this.checks = metrics.tally({ name: 'gatehouse_api_key_checks_total', help: 'Checks of API keys.' }, 'result', CHECK_RESULTS);
    this.liveKeys = gatheredRows((hashes) => queries.all<LiveApiKeyRow>(BY_HASH, [hashes]));
    const logger = new Logger(ApiKeysService.name);
    this.lastUse = new LastUseRecorder(apiKeys.manager.dataSource, 'api_keys', (error) => {
      logger.warn(`The last use of API keys could not be written: ${String(error)}`);
    });
  }

  /**
   * The principal behind a key that is good at this moment. Not a promise where that is known here and now.
   * @throws AuthError `invalid_api_key`, with the reason when it was good once, through the promise
   */
  authenticate(key: string): ApiKeyPrincipal | Promise<ApiKeyPrincipal> {
    const id = hashApiKey(key, 'base64');
    const known = this.cache.apiKeyAtHand(id);
    if (known === undefined) return this.check(key, id);
    this.checks.success += 1;
    this.lastUse.touch(known.apiKeyId);
    return known;
  }

  /**
   * Of keys that were authenticated before, those that are still good at this moment, asked of PostgreSQL: for
   * connections that outlive a request. They count as used.
   */
  async findGood(ids: readonly string[]): Promise<Map<string, Checked<ApiKeyPrincipal>>> {
    const rows = await this.apiKeys.manager.query<LiveApiKeyRow[]>(BY_ID, [ids]);
    for (const { id } of rows) this.lastUse.touch(id);
    return new Map(rows.map((row) => [row.id, checkedOf(row)]));
  }

  /**
   * Makes a key for the principal's user. A key bound to a resource makes keys for that resource alone.
   * @param hold makes sure, in the same transaction, that what the key is bound to stays there until it is made
   * @throws AuthError `insufficient_scope` when it would reach further than its maker
   */
  async create(
    principal: Principal,
    request: ApiKeyRequest,
    client: Client,
    hold?: (manager: EntityManager) => Promise<void>,
  ): Promise<IssuedApiKey> {
    const resource = requireGrant(principal, request.scopes, request.resource);
    return this.apiKeys.manager.transaction(async (manager) => {
      await hold?.(manager);
      const issued = await this.insert(manager, { ...request, resource, userId: principal.userId });
      await this.record(manager, 'api_key.created', principal, issued.apiKey.id, client, { scopes: request.scopes });
      return issued;
    });
  }

  /**
   * Keys, newest first, revoked ones included; of one resource alone, if one is named.
   * @throws AuthError `insufficient_role`, `insufficient_scope` when the keys are not the principal's to see
   */
  async find(principal: Principal, owner: KeyOwner, page: PageQuery, resource?: ResourceBinding): Promise<Page<ApiKey>> {
    const userId = 'own' in owner ? principal.userId : 'userId' in owner ? owner.userId : null;
    const everybody = 'everybody' in owner;
    if (everybody || userId !== principal.userId) {
      if (!isAdministrator(principal)) {
        throw new AuthError(principal.type === 'user' ? 'insufficient_role' : 'insufficient_scope', {
          requiredScopes: ['users:write'],
        });
      }
      await requireReach(this.apiKeys.manager, principal, userId);
    }
    const after = afterId(page);
    const rows = await this.apiKeys.find({
      where: {
        ...(everybody ? {} : { userId: userId ?? IsNull() }),
        ...(after === undefined ? {} : { id: LessThan(after) }),
        ...(resource === undefined ? {} : { resourceType: resource.type, resourceId: resource.id }),
      },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
    return pageOf(rows, page.limit);
  }

  /** @throws AuthError `not_found`, also when the key is not the principal's to see, `insufficient_scope` */
  async get(principal: Principal, id: string, manager: EntityManager = this.apiKeys.manager): Promise<ApiKey> {
    const apiKey = await manager.findOneBy(ApiKey, { id });
    if (apiKey === null) throw new AuthError('not_found');
    if (apiKey.userId === principal.userId) return apiKey;
    if (!isAdministrator(principal)) throw new AuthError('not_found');
    await requireReach(manager, principal, apiKey.userId);
    return apiKey;
  }

  /**
   * The key that a key principal is.
   * @throws AuthError `invalid_api_key` when it was deleted a moment ago, `missing_credential` where authentication is
   *   switched off and nobody has a key
   */
  async getCurrent(principal: Principal): Promise<ApiKey> {
    if (principal.type !== 'api-key') {
      throw new AuthError('missing_credential', { detail: 'This route takes an API key.', wanted: 'api-key' });
    }
    const apiKey = await this.apiKeys.findOneBy({ id: principal.apiKeyId });
    if (apiKey === null) throw new AuthError('invalid_api_key');
    return apiKey;
  }

  /** @throws AuthError `not_found`, `insufficient_scope`, `insufficient_role` */
  async update(
    principal: Principal,
    id: string,
    change: Partial<Pick<ApiKeyRequest, 'name' | 'scopes' | 'expiresAt'>>,
    client: Client,
  ): Promise<ApiKey> {
    return this.changing(principal, id, async (manager, apiKey) => {
      await requireControl(manager, principal, apiKey, 'keep');
      if (change.scopes !== undefined) requireGrant(principal, change.scopes, resourceOf(apiKey));
      if (Object.keys(change).length === 0) return apiKey;
      await manager.update(ApiKey, { id }, change);
      await this.record(manager, 'api_key.updated', principal, id, client, { fields: Object.keys(change) });
      return this.get(principal, id, manager);
    });
  }

  /**
   * Replaces a key by a new one with the same rights and end.
   * @param overlapSeconds how long the old one stays good beside it
   * @throws AuthError `not_found` (also for a key that has ended), `insufficient_scope`, `insufficient_role`
   */
  async rotate(principal: Principal, id: string, overlapSeconds: number, client: Client): Promise<IssuedApiKey> {
    return this.changing(principal, id, async (manager, apiKey) => {
      await requireControl(manager, principal, apiKey, 'keep');
      const [, retired] = await manager.query<[unknown, number]>(
        `UPDATE api_keys
            SET revoked_at = CASE WHEN $2::int = 0 THEN now() END,
                retires_at = CASE WHEN $2::int > 0 THEN least(retires_at, now() + make_interval(secs => $2::int)) ELSE retires_at END
          WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
            AND (retires_at IS NULL OR retires_at > now())`,
        [id, overlapSeconds],
      );
      if (retired === 0) throw new AuthError('not_found', { detail: 'The key has been revoked or has expired.' });
      const { name, scopes, expiresAt, userId } = apiKey;
      const issued = await this.insert(manager, { name, scopes, expiresAt, userId, resource: resourceOf(apiKey) });
      await this.record(manager, 'api_key.rotated', principal, id, client, {
        successor: issued.apiKey.id,
        overlapSeconds,
      });
      return issued;
    });
  }

  /**
   * Ends a key at once; a key that is revoked already stays as it is.
   * @throws AuthError `not_found`, `insufficient_scope`, `insufficient_role`
   */
  async revoke(principal: Principal, id: string, client: Client): Promise<void> {
    await this.changing(principal, id, async (manager, apiKey) => {
      await requireControl(manager, principal, apiKey, 'end');
      if (apiKey.revokedAt !== null) return;
      await manager.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [id]);
      await this.record(manager, 'api_key.revoked', principal, id, client);
    });
  }

  /**
   * Deletes a key: it ends at once, and only the audit log still knows of it.
   * @throws AuthError `not_found`, `insufficient_scope`, `insufficient_role`
   */
  async remove(principal: Principal, id: string, client: Client): Promise<void> {
    await this.changing(principal, id, async (manager, apiKey) => {
      await requireControl(manager, principal, apiKey, 'end');
      await manager.delete(ApiKey, { id });
      await this.record(manager, 'api_key.deleted', principal, id, client);
    });
  }

  /**
   * Deletes those of a user's keys that are bound to a resource, together with the resource.
   * @param removeResource deletes the resource itself, first and in the same transaction
   */
  async removeBound(
    principal: UserPrincipal,
    resource: ResourceBinding,
    client: Client,
    removeResource: (manager: EntityManager) => Promise<void>,
  ): Promise<void> {
    const { userId } = principal;
    await this.cache.changingUser(userId, () =>
      this.apiKeys.manager.transaction(async (manager) => {
        await removeResource(manager);
        const [removed] = await manager.query<[{ id: string }[], number]>(
          'DELETE FROM api_keys WHERE user_id = $1 AND resource_type = $2 AND resource_id = $3 RETURNING id',
          [userId, resource.type, resource.id],
        );
        for (const { id } of removed) await this.record(manager, 'api_key.deleted', principal, id, client, { resource });
      }),
    );
  }

  /**
   * Makes a key that somebody already has one of the instance's own, or sets its scopes if it is one. A key that was
   * imported and revoked before stays revoked. One that was `changed` is for the caller to have forgotten, once that has
   * committed.
   */
  async import(manager: EntityManager, key: string, name: string, scopes: string[]): Promise<ImportedApiKey> {
    const keyHash = hashApiKey(key);
    const known = await manager.findOneBy(ApiKey, { keyHash });
    if (known === null) {
      const id = uuidv7();
      await manager.insert(ApiKey, { id, name, scopes, prefix: shownPrefix(key), keyHash });
      return { done: 'imported', id };
    }
    if (known.revokedAt !== null) return { done: 'revoked', id: known.id };
    if (known.userId !== null) return { done: 'known', id: known.id };
    const [, changed] = await manager.query<[unknown, number]>('UPDATE api_keys SET scopes = $2 WHERE id = $1 AND scopes <> $2', [known.id, scopes]);
    return { done: changed > 0 ? 'changed' : 'known', id: known.id };
  }

  /**
   * Makes a key that somebody already has good here, for the principal's user; again, nothing changes. A key that was
   * revoked stays revoked.
   * @throws AuthError `insufficient_scope` when it would reach further than its user
   */
  async adopt(principal: Principal, known: KnownKey, request: ApiKeyRequest, client: Client): Promise<AdoptedApiKey> {
    const resource = requireGrant(principal, request.scopes, request.resource);
    return this.apiKeys.manager.transaction(async (manager) => {
      const id = uuidv7();
      const rows = await manager.query<{ id: string }[]>(
        `INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes, expires_at, resource_type, resource_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key_hash) DO NOTHING RETURNING id`,
        [
          id, principal.userId, request.name, known.prefix, known.keyHash, request.scopes, request.expiresAt,
          resource?.type ?? null, resource?.id ?? null,
        ],
      );
      const done = rows.length > 0;
      if (done) await this.record(manager, 'api_key.imported', principal, id, client, { scopes: request.scopes });
      return { done, apiKey: await manager.findOneByOrFail(ApiKey, { keyHash: known.keyHash }) };
    });
  }

  /** Whether a key is one of the instance's own that has not been revoked. */
  async isInstanceKey(manager: EntityManager, key: string): Promise<boolean> {
    return manager.existsBy(ApiKey, { keyHash: hashApiKey(key), userId: IsNull(), revokedAt: IsNull() });
  }

  /**
   * Ends the instance's own keys of a name, but for one: where there is one key at a time, a new one takes the place of
   * the last. The caller has them forgotten once that has committed.
   * @returns the ids of those that were ended
   */
  async revokeReplaced(manager: EntityManager, name: string, keptId: string): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE api_keys SET revoked_at = now()
        WHERE user_id IS NULL AND name = $1 AND id <> $2 AND revoked_at IS NULL RETURNING id`,
      [name, keptId],
    );
    return rows.map(({ id }) => id);
  }

  /** Whether a text could be a key of ours or an imported one, for checks before an import. */
  isPlausible(key: string): boolean {
    return isPlausibleApiKey(key, this.settings.apiKeyPrefix);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.lastUse.close();
  }

  /** One transaction on one key, whose row is locked, and which is forgotten afterwards. */
  private async changing<T>(
    principal: Principal,
    id: string,
    change: (manager: EntityManager, apiKey: ApiKey) => Promise<T>,
  ): Promise<T> {
    let found: ApiKey | null = null;
    return this.cache.changing(
      () => this.apiKeys.manager.transaction(async (manager) => {
        await manager.query('SELECT FROM api_keys WHERE id = $1 FOR UPDATE', [id]);
        found = await this.get(principal, id, manager);
        return change(manager, found);
      }),
      // One that is gone was most likely the principal's own.
      () => this.cache.forgetApiKey((found ?? principal).userId, id),
    );
  }

  private async insert(manager: EntityManager, request: ApiKeyRequest & { userId: string | null }): Promise<IssuedApiKey> {
    const { resource, ...columns } = request;
    const key = generateApiKey(this.settings.apiKeyPrefix);
    const id = uuidv7();
    await manager.insert(ApiKey, {
      ...columns,
      id,
      prefix: shownPrefix(key),
      keyHash: hashApiKey(key),
      resourceType: resource?.type ?? null,
      resourceId: resource?.id ?? null,
    });
    return { apiKey: await manager.findOneByOrFail(ApiKey, { id }), key };
  }

  private async check(key: string, id: string): Promise<ApiKeyPrincipal> {
    if (!isPlausibleApiKey(key, this.settings.apiKeyPrefix)) {
      this.checks.malformed += 1;
      throw new AuthError('invalid_api_key');
    }
    const principal = await this.cache.apiKey(id, () => this.load(id));
    if (principal === null) throw await this.refusalOf(Buffer.from(id, 'base64'));
    this.checks.success += 1;
    this.lastUse.touch(principal.apiKeyId);
    return principal;
  }

  private async load(hash: string): Promise<Checked<ApiKeyPrincipal> | null> {
    const row = await this.liveKeys.ask(hash);
    return row === null ? null : checkedOf(row);
  }

  /** The refusal of a key that is not good: whether it ended, or has never been one, is told to whoever has it. */
  private async refusalOf(keyHash: Buffer): Promise<AuthError> {
    const [row] = await this.apiKeys.manager.query<{ expired: boolean | null }[]>(WHY_REFUSED, [keyHash]);
    const reason = row?.expired ? 'expired' : 'revoked';
    this.checks[row === undefined ? 'unknown' : reason] += 1;
    return new AuthError('invalid_api_key', row === undefined ? {} : { reason });
  }

  private record<A extends AuditAction>(
    manager: EntityManager,
    action: A,
    principal: Principal,
    id: string,
    client: Client,
    detail?: AuditDetail<A>,
  ): Promise<void> {
    const subject = { type: 'api-key', id } as const;
    return this.auditLog.record({ action, actor: partyOf(principal), subject, client, detail: detail ?? null }, manager);
  }
}

function checkedOf(row: LiveApiKeyRow): Checked<ApiKeyPrincipal> {
  return {
    principal: principalOf(row),
    expiresAt: row.remaining_ms === null ? Infinity : Date.now() + Number(row.remaining_ms),
  };
}

function principalOf(row: LiveApiKeyRow): ApiKeyPrincipal {
  const { resource_type: type, resource_id: resourceId } = row;
  return {
    type: 'api-key',
    apiKeyId: row.id,
    userId: row.user_id,
    role: row.role,
    scopes: row.scopes,
    resource: type === null || resourceId === null ? null : { type, id: resourceId },
  };
}

/** What a stored key is bound to. */
export function resourceOf(apiKey: ApiKey): ResourceBinding | null {
  const { resourceType: type, resourceId: id } = apiKey;
  return type === null || id === null ? null : { type, id };
}
