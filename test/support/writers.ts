import type { Api } from './client.js';
import { OWNER } from './suite.js';

/** What was acknowledged, by kind of write. */
export interface Acknowledged {
  /** Keys that were made and not revoked. */
  keys: string[];
  /** Keys whose end was acknowledged. */
  revokedKeys: string[];
  /** Access tokens of logins. */
  tokens: string[];
  /** How often sessions were refreshed. */
  refreshes: number;
}

/**
 * Signs in, refreshes, makes and revokes keys without pause while something happens to the database, and notes what was
 * acknowledged and every status that came back. What is answered 503 is tried again, as a client would.
 */
export class Writers {
  readonly acknowledged: Acknowledged = { keys: [], revokedKeys: [], tokens: [], refreshes: 0 };
  readonly statuses = new Map<string, number>();
  private readonly workers: Promise<void>[];
  private stopped = false;

  private constructor(
    private readonly api: Api,
    private readonly token: string,
    refreshTokens: readonly string[],
  ) {
    this.workers = [this.signIn(), this.makeKeys(), this.makeKeys(), ...refreshTokens.map((one) => this.refresh(one))];
  }

  /** @param token the owner's access token, whose session nobody ends */
  static async start(api: Api, token: string): Promise<Writers> {
    const sessions = [await api.login(OWNER.email, OWNER.password), await api.login(OWNER.email, OWNER.password)];
    return new Writers(api, token, sessions.map(({ refreshToken }) => refreshToken));
  }

  /** How many writes were acknowledged so far. */
  get count(): number {
    const { keys, revokedKeys, tokens, refreshes } = this.acknowledged;
    return keys.length + revokedKeys.length + tokens.length + refreshes;
  }

  /** Lets everybody finish what is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.workers);
  }

  /** Statuses that a database that comes and goes does not explain. */
  unexplained(): string[] {
    return [...this.statuses.keys()].filter((line) => !/ (200|201|204|503)$/.test(line));
  }

  private async signIn(): Promise<void> {
    while (!this.stopped) {
      const { status, body } = await this.call('POST /auth/login', { json: { identifier: OWNER.email, password: OWNER.password } });
      if (status === 200) this.acknowledged.tokens.push(body.accessToken as string);
    }
  }

  /** One session, refreshed over and over. An answer that was lost is asked for again with the same token. */
  private async refresh(first: string): Promise<void> {
    let refreshToken = first;
    while (!this.stopped) {
      const { status, body } = await this.call('POST /auth/refresh', { json: { refreshToken } });
      if (status !== 200) continue;
      refreshToken = body.refreshToken as string;
      this.acknowledged.refreshes += 1;
    }
  }

  private async makeKeys(): Promise<void> {
    for (let made = 0; !this.stopped; made += 1) {
      const issued = await this.call('POST /api-keys', { token: this.token, json: { name: 'written', scopes: ['servers:read'] } });
      if (issued.status !== 201) continue;
      const { id, key } = issued.body as { id: string; key: string };
      if (made % 2 === 0) {
        this.acknowledged.keys.push(key);
        continue;
      }
      if (await this.end(id)) this.acknowledged.revokedKeys.push(key);
    }
  }

  /** Whether the end of a key was acknowledged before everybody was told to stop. */
  private async end(id: string): Promise<boolean> {
    for (;;) {
      const { status } = await this.call('DELETE /api-keys/:id', { token: this.token }, `DELETE /api-keys/${id}`);
      if (status === 204 || this.stopped) return status === 204;
    }
  }

  private async call(route: string, options: Parameters<Api['call']>[1], target = route): ReturnType<Api['call']> {
    const answer = await this.api.call(target, options);
    const line = `${route} ${String(answer.status)}`;
    this.statuses.set(line, (this.statuses.get(line) ?? 0) + 1);
    return answer;
  }
}

/** What of the acknowledged is not as it was acknowledged. */
export async function lost(api: Api, { keys, revokedKeys, tokens }: Acknowledged): Promise<string[]> {
  const wrong: string[] = [];
  const check = async (what: string, target: string, options: Parameters<Api['call']>[1], wanted: number): Promise<void> => {
    const { status } = await api.call(target, options);
    if (status !== wanted) wrong.push(`${what}: ${String(status)}`);
  };
  for (const apiKey of keys) await check('a key', 'GET /api-keys/current', { apiKey }, 200);
  for (const apiKey of revokedKeys) await check('a revoked key', 'GET /api-keys/current', { apiKey }, 401);
  for (const token of tokens) await check('a session', 'GET /auth/me', { token }, 200);
  return wrong;
}
