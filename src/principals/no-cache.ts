import type { ApiKeyPrincipal, UserPrincipal } from '../access/index.js';
import { type Load, PrincipalCache } from './principal-cache.js';

/** Asks PostgreSQL on every request: right on any number of instances. */
export class NoCache extends PrincipalCache {
  override readonly remembers = false;

  async session(_: string, __: string, load: Load<UserPrincipal>): Promise<UserPrincipal | null> {
    return (await load())?.principal ?? null;
  }

  async apiKey(_: string, load: Load<ApiKeyPrincipal>): Promise<ApiKeyPrincipal | null> {
    return (await load())?.principal ?? null;
  }

  async forgetSession(): Promise<void> {
    // Nothing is remembered.
  }

  async forgetUser(): Promise<void> {
    // Nothing is remembered.
  }

  async forgetApiKey(): Promise<void> {
    // Nothing is remembered.
  }
}
