import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiKeyPrincipal, Principal, UserPrincipal } from '../access/index.js';
import type { Metrics } from '../metrics/index.js';
import { type RedisConnection, RedisScript } from '../redis/index.js';
import { type Lookups, lookupsOf } from './cache-lookups.js';
import { Gathered } from './gathered.js';
import { type Checked, type Load, PrincipalCache } from './principal-cache.js';
import { readApiKey, readSession, writeEntry } from './redis-entries.js';
import { remember } from './remember.js';

/** No entry is older, counted from before PostgreSQL was read. */
const LEASE_MS = 5_000;
/** How far Redis's clock may fall behind ours within a lease. */
const MARGIN_MS = 1_000;
const FORGET_AGAIN_MS = 50;

/** Keys whose holder is remembered; one takes some 200 bytes. */
const MOST_HOLDERS = 20_000;
/** Holds the keys that no user does. */
const INSTANCE = 'instance';

/** The epoch of a holder's entries, begun now if there is none. Only the beginning sets the end. */
const BEGIN = new RedisScript(`
  if redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return redis.call('HGET', KEYS[1], 'epoch')`);

/** The fields that are asked for, each of the hash beside it. */
const GET = new RedisScript(`
  local found = {}
  for at, key in ipairs(KEYS) do found[at] = redis.call('HGET', key, ARGV[at]) end
  return found`);

/** Adds an entry, if the epoch is still the one that it began in. */
const FILL = new RedisScript(`
  if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
  return redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])`);

/** Where an entry is. */
interface Place {
  readonly key: string;
  readonly field: string;
}

/**
 * Remembers in Redis, for all instances, what one of them has read from PostgreSQL: one look a request, and one for all
 * requests that come together. Redis is never the truth, and whatever it loses, it lets nobody in.
 *
 * All entries of a user are one hash, which also holds its *epoch*, a random value, and which lives for one lease from
 * its beginning. Whoever finds no entry asks for the epoch, then PostgreSQL, and adds the entry only if the epoch is
 * still the same; whoever ends a credential commits, removes the hash, and only then answers. So an entry that is found
 * after the answer was added in an epoch that began after the removal, by somebody who read PostgreSQL after that, and
 * therefore after the commit: what is not there is the tombstone. The same holds when the hash is flushed, evicted or
 * lost; what comes back from a disk or a replica has another name (`RedisConnection.key`).
 *
 * If the hash cannot be removed, the revocation is answered when all that was read before the commit has run out: a
 * lease counts from before the reading, and not from the adding, however late that arrives. Times are those of Redis
 * alone, or of this process alone; clocks need not agree.
 *
 * What is assumed of Redis: one primary, the same for all instances, and for this purpose alone. Whoever can write to it
 * can keep alive what was once a good token or key, and choose its role and scopes; it is to be guarded as the database
 * is. Where a replica takes over while instances still talk to the old primary, a revocation may be late, by no more
 * than a lease.
 */
export class RedisCache extends PrincipalCache {
  /** Under whom an API key was found when it was last read: where to look for it. To be wrong costs a look. */
  private readonly holders = new Map<string, string>();

  private readonly lookups: Lookups;

  /** Entries, or what `RedisConnection.send` says instead. */
  private readonly entries = new Gathered<Place, unknown>((places) => this.read(places));

  constructor(
    private readonly redis: RedisConnection,
    metrics: Metrics,
  ) {
    super();
    this.lookups = lookupsOf('redis', metrics);
  }

  session(sessionId: string, userId: string, load: Load<UserPrincipal>): Promise<UserPrincipal | null> {
    return this.find(userId, `s:${sessionId}`, (text) => readSession(text, userId, sessionId), load);
  }

  async apiKey(keyHash: string, load: Load<ApiKeyPrincipal>): Promise<ApiKeyPrincipal | null> {
    const holder = this.holders.get(keyHash);
    const learn = async (): Promise<Checked<ApiKeyPrincipal> | null> => {
      const checked = await load();
      if (checked === null) this.holders.delete(keyHash);
      else remember(this.holders, keyHash, holderOf(checked.principal), MOST_HOLDERS);
      return checked;
    };
    if (holder === undefined) {
      this.lookups.miss += 1;
      return (await learn())?.principal ?? null;
    }
    return this.find(holder, `k:${keyHash}`, (text) => readApiKey(text, holder === INSTANCE ? null : holder), learn);
  }

  forgetSession(userId: string): Promise<void> {
    return this.forget(userId);
  }

  forgetUser(userId: string): Promise<void> {
    return this.forget(userId);
  }

  forgetApiKey(userId: string | null): Promise<void> {
    return this.forget(userId ?? INSTANCE);
  }

  private async find<P extends Principal>(holder: string, field: string, read: (text: string) => P | null, load: Load<P>): Promise<P | null> {
    const key = this.redis.key(`principals:${holder}`);
    const text = await this.entries.ask({ key, field });
    const known = typeof text === 'string' ? read(text) : null;
    if (known !== null) {
      this.lookups.hit += 1;
      return known;
    }
    this.lookups.miss += 1;
    // Before PostgreSQL is read, never after.
    const epoch = text === undefined ? undefined : await this.redis.run(BEGIN, [key], [randomUUID(), LEASE_MS]);
    const checked = await load();
    if (checked === null) return null;
    // It must not outlive the credential, and it must be found where it will be forgotten.
    const lasts = checked.expiresAt - Date.now() >= LEASE_MS;
    if (typeof epoch === 'string' && lasts && holderOf(checked.principal) === holder) {
      void this.redis.run(FILL, [key], [epoch, field, writeEntry(checked.principal)]);
    }
    return checked.principal;
  }

  private async read(places: readonly Place[]): Promise<readonly unknown[]> {
    const [{ key, field }] = places as readonly [Place];
    // One by itself is what a quiet server has: Redis does it without its interpreter.
    if (places.length === 1) return [await this.redis.send((redis) => redis.hget(key, field))];
    const found = await this.redis.run(GET, places.map((place) => place.key), places.map((place) => place.field));
    return Array.isArray(found) ? (found as unknown[]) : places.map(() => undefined);
  }

  private async forget(holder: string): Promise<void> {
    const end = performance.now() + LEASE_MS + MARGIN_MS;
    while ((await this.redis.send((redis) => redis.unlink(this.redis.key(`principals:${holder}`)))) === undefined) {
      const left = end - performance.now();
      if (left <= 0) return;
      await sleep(Math.min(left, FORGET_AGAIN_MS));
    }
  }
}

function holderOf(principal: Principal): string {
  return principal.userId ?? INSTANCE;
}
