import { issueRefreshToken } from '../../../src/sessions/refresh-token.js';
import { SigningKeys } from '../../../src/sessions/signing-keys.js';
import { type Answer, Api, type Json, type RequestOptions, send } from '../client.js';
import { type Gatehouse, startGatehouse, TEST_JWT_SECRET } from '../gatehouse.js';
import { OWNER, WITH_OWNER } from '../suite.js';
import type { ScaleDatabase } from './postgres.js';

/** One of the seeded users, signed in. */
export interface Inhabitant {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly key: string;
  token: string;
  refreshToken: string;
}

type Call = (target: string, options?: RequestOptions) => Promise<Answer<Json>>;

const keys = new SigningKeys(TEST_JWT_SECRET);

/** A server on a seeded database, with nothing between it and PostgreSQL, and people who are signed in to it. */
export class House {
  /** Sends a request to the native API. */
  readonly call: Call;
  private at = 0;

  private constructor(
    readonly database: ScaleDatabase,
    readonly gatehouse: Gatehouse,
    private readonly inhabitants: readonly Inhabitant[],
    /** The owner's token. */
    readonly boss: string,
  ) {
    const api = new Api(gatehouse);
    this.call = (target, options) => api.call(target, options);
  }

  /** Starts a server and signs in so many of the first `users`, evenly from the first to the last. */
  static async open(database: ScaleDatabase, dialect: string, users: number, size: number): Promise<House> {
    const gatehouse = await startGatehouse({
      env: { DATABASE_URL: database.url, ...WITH_OWNER, REGISTRATION: 'open', PRINCIPAL_CACHE: 'off', DIALECTS: dialect },
    });
    const api = new Api(gatehouse);
    const inhabitants = await find(database, users, size);
    const house = new House(database, gatehouse, inhabitants, (await api.login(OWNER.email, OWNER.password)).accessToken);
    for (const inhabitant of inhabitants) await refresh(house.call, inhabitant);
    return house;
  }

  /** Somebody whose turn it is. */
  next(): Inhabitant {
    const inhabitant = this.inhabitants[this.at++ % this.inhabitants.length];
    if (inhabitant === undefined) throw new Error('nobody is there');
    return inhabitant;
  }

  /** Sends a request to the dialect. */
  dialect(target: string, options: RequestOptions): Promise<Answer<Json>> {
    return send(target.replace(' ', ` ${this.gatehouse.url}/api/v1`), options);
  }
}

/** Exchanges somebody's refresh token. */
export async function refresh(call: Call, inhabitant: Inhabitant): Promise<Answer<Json>> {
  const answer = await call('POST /auth/refresh', { json: { refreshToken: inhabitant.refreshToken } });
  inhabitant.refreshToken = answer.body.refreshToken as string;
  inhabitant.token = answer.body.accessToken as string;
  return answer;
}

/** So many of the seeded users, with the refresh token of a session that each has; not `person1`, who is like nobody else. */
async function find({ pool }: ScaleDatabase, users: number, size: number): Promise<Inhabitant[]> {
  const numbers = Array.from({ length: size }, (_, i) => Math.floor(((i + 1) * users) / (size + 1)) + 2);
  const { rows } = await pool.query<{ id: string; email: string; username: string; session: string; counter: number }>(
    `SELECT u.id, u.email, u.username, s.id AS session, s.refresh_counter AS counter
       FROM users u, LATERAL (SELECT id, refresh_counter FROM sessions WHERE user_id = u.id AND revoked_at IS NULL ORDER BY id LIMIT 1) s
      WHERE u.username_folded = ANY($1)`,
    [numbers.map((n) => `person${String(n)}`)],
  );
  return rows.map(({ session, counter, ...row }) => ({
    ...row,
    key: `seeded-key-${row.username.slice('person'.length)}`,
    token: '',
    refreshToken: issueRefreshToken(keys, { sessionId: session, counter }),
  }));
}
