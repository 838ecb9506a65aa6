import { Injectable } from '@nestjs/common';
import { ApiKeyChanges, ApiKeysService, type ChangesSeen } from '../api-keys/index.js';
import { mayConnect } from './agent-rights.js';

const BATCH = 1_000;

/** An open connection, by the key that it was let in with. */
export interface Watched {
  readonly apiKeyId: string;
  readonly userId: string | null;
  /** When the key ends by itself, in milliseconds since the epoch; `null` before the first look at it. */
  endsAt: number | null;
}

/**
 * Finds the connections whose keys are not good any more. It asks PostgreSQL for what has changed rather than for every
 * key: a look costs the same whether ten agents are connected or ten thousand.
 */
@Injectable()
export class KeyWatch {
  private seen: ChangesSeen | null = null;

  constructor(
    private readonly changes: ApiKeyChanges,
    private readonly apiKeys: ApiKeysService,
  ) {}

  /** The next look is at every connection. */
  reset(): void {
    this.seen = null;
  }

  /**
   * Which connections have to end, by what PostgreSQL says now: of those whose keys or users have changed since the last
   * look, that have come since, or whose time is up. Where nobody knows what has changed, of all.
   * @param turns connections that are looked at as well, for the sake of it
   */
  async findEnded<T extends Watched>(connections: ReadonlySet<T>, turns: readonly T[]): Promise<T[]> {
    // Before the keys are read: what changes after that is found by the next look.
    const { seen, changed } = await this.changes.since(this.seen);
    const now = Date.now();
    const isSuspect = ({ apiKeyId, userId, endsAt }: Watched): boolean =>
      changed === null || endsAt === null || endsAt <= now || changed.apiKeyIds.has(apiKeyId) || (userId !== null && changed.userIds.has(userId));
    const suspects = [...new Set([...turns, ...[...connections].filter(isSuspect)])];
    const ended: T[] = [];
    for (let at = 0; at < suspects.length; at += BATCH) ended.push(...(await this.endedOf(suspects.slice(at, at + BATCH))));
    // Not before: a look that fails halfway is begun again.
    this.seen = seen;
    return ended;
  }

  private async endedOf<T extends Watched>(connections: readonly T[]): Promise<T[]> {
    const good = await this.apiKeys.findGood([...new Set(connections.map(({ apiKeyId }) => apiKeyId))]);
    return connections.filter((connection) => {
      const now = good.get(connection.apiKeyId);
      if (now === undefined || !mayConnect(now.principal)) return true;
      connection.endsAt = now.expiresAt;
      return false;
    });
  }
}
