import type { ApiKeyPrincipal, Principal, UserPrincipal } from '../access/index.js';
import type { Metrics } from '../metrics/index.js';
import { type Lookups, lookupsOf } from './cache-lookups.js';
import { type Checked, type Load, PrincipalCache } from './principal-cache.js';
import { remember } from './remember.js';

/** Entries beyond this push the oldest out; one takes some 300 bytes. */
const MOST_ENTRIES = 100_000;

/**
 * Remembers in this process what the same process checked. Exact as long as it is the only one that writes: every
 * revocation passes through `forget*`. It remembers nothing until `MemoryLease` knows that to be so, and while it is not.
 *
 * A fill that read PostgreSQL before a revocation committed must not be stored after it: each `forget*` raises the
 * generation, and a fill is stored only if the generation is still the one it began with.
 */
export class MemoryCache extends PrincipalCache {
  private readonly sessions = new Map<string, Checked<UserPrincipal>>();
  private readonly apiKeys = new Map<string, Checked<ApiKeyPrincipal>>();
  private readonly lookups: Lookups;
  private generation = 0;
  private remembering = false;

  constructor(metrics: Metrics) {
    super();
    this.lookups = lookupsOf('memory', metrics);
  }

  /** Remembers from now on: nobody else writes. */
  resume(): void {
    // What was read before may be from before the other's change.
    this.generation += 1;
    this.remembering = true;
  }

  /** Forgets everything, and remembers nothing until it is resumed: somebody else may write. */
  suspend(): void {
    this.generation += 1;
    this.remembering = false;
    this.sessions.clear();
    this.apiKeys.clear();
  }

  override sessionAtHand(sessionId: string): UserPrincipal | undefined {
    return this.atHand(this.sessions, sessionId);
  }

  override apiKeyAtHand(keyHash: string): ApiKeyPrincipal | undefined {
    return this.atHand(this.apiKeys, keyHash);
  }

  session(sessionId: string, _: string, load: Load<UserPrincipal>): Promise<UserPrincipal | null> {
    return this.find(this.sessions, sessionId, load);
  }

  apiKey(keyHash: string, load: Load<ApiKeyPrincipal>): Promise<ApiKeyPrincipal | null> {
    return this.find(this.apiKeys, keyHash, load);
  }

  forgetSession(_: string, sessionId: string): Promise<void> {
    this.generation += 1;
    this.sessions.delete(sessionId);
    return Promise.resolve();
  }

  forgetUser(userId: string): Promise<void> {
    this.generation += 1;
    removeWhere(this.sessions, (principal) => principal.userId === userId);
    removeWhere(this.apiKeys, (principal) => principal.userId === userId);
    return Promise.resolve();
  }

  forgetApiKey(_: string | null, apiKeyId: string): Promise<void> {
    this.generation += 1;
    removeWhere(this.apiKeys, (principal) => principal.apiKeyId === apiKeyId);
    return Promise.resolve();
  }

  private async find<P extends Principal>(entries: Map<string, Checked<P>>, id: string, load: Load<P>): Promise<P | null> {
    const known = this.atHand(entries, id);
    if (known !== undefined) return known;
    this.lookups.miss += 1;
    const generation = this.generation;
    const checked = await load();
    if (checked === null) return null;
    if (this.remembering && generation === this.generation) remember(entries, id, checked, MOST_ENTRIES);
    return checked.principal;
  }

  private atHand<P>(entries: Map<string, Checked<P>>, id: string): P | undefined {
    const known = entries.get(id);
    if (known === undefined) return undefined;
    if (known.expiresAt > Date.now()) {
      this.lookups.hit += 1;
      return known.principal;
    }
    entries.delete(id);
    return undefined;
  }
}

function removeWhere<P>(entries: Map<string, Checked<P>>, matches: (principal: P) => boolean): void {
  for (const [id, entry] of entries) if (matches(entry.principal)) entries.delete(id);
}
