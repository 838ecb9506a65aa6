import type { Answer, Json } from '../client.js';
import { PASSWORD } from '../people.js';
import { type House, type Inhabitant, refresh } from './house.js';

/** What somebody asks of a house; where it is several things, the answer to the last. */
export type Request = (house: House, who: Inhabitant) => Promise<Answer<Json>>;

/** A request, and the status that it is answered with. */
export interface Visit {
  readonly status: number;
  readonly request: Request;
  /** Rows that a statement may look at for it, where that is said otherwise. */
  readonly rows?: number;
}

const NEW_PASSWORD = 'four other random words';

/** The cursor of a list that goes on after a row. */
const cursorAt = (id: string): string => Buffer.from(id).toString('base64url');

const answered = (status: number, request: Request, rows?: number): Visit => ({ status, request, ...(rows === undefined ? {} : { rows }) });

/** A request of the owner's; `:id` and `:cursor` are somebody else's. */
const owner = (target: string, json?: object): Request => (house, { id }) =>
  house.call(target.replace(':id', id).replace(':cursor', cursorAt(id)), { token: house.boss, ...(json === undefined ? {} : { json }) });

/** A request of somebody's own. */
const own = (target: string, json?: object): Request => ({ call }, { token }) => call(target, { token, ...(json === undefined ? {} : { json }) });

/** What goes on all day. */
export const EVERYDAY: Record<string, Request> = {
  login: ({ call }, { email }) => call('POST /auth/login', { json: { email, password: PASSWORD } }),
  refresh: ({ call }, who) => refresh(call, who),
  me: own('GET /auth/me'),
  'own sessions': own('GET /auth/sessions'),
  'key check': ({ call }, { key }) => call('GET /api-keys/current', { apiKey: key }),
  'own keys': own('GET /api-keys'),
  user: owner('GET /users/:id'),
  users: owner('GET /users'),
  'users after another': owner('GET /users?limit=20&cursor=:cursor'),
  'users by email': (house, who) => owner(`GET /users?search=${encodeURIComponent(who.email)}`)(house, who),
  'users by position': (house) => house.dialect('GET /users', { token: house.boss }),
  'events of a user': owner('GET /audit-events?userId=:id'),
};

const SEARCHES = ['example', 'garcia', 'maria garcia', 'Garcia', 'xyzzy', 'e', 'zq', '%', '#', '777@', 'Jürgen', '明z', "o'neill"];

/** What goes on now and then, with the status of the answer. */
export const OCCASIONAL: Record<string, Visit> = {
  'login by username': answered(200, ({ call }, { username }) => call('POST /auth/login', { json: { username, password: PASSWORD } })),
  'login of nobody': answered(401, ({ call }) => call('POST /auth/login', { json: { email: 'nobody@example.com', password: PASSWORD } })),
  'login with a wrong password': answered(401, ({ call }, { email }) => call('POST /auth/login', { json: { email, password: 'wrong' } })),
  'refresh with the token before': answered(200, async ({ call }, who) => {
    const json = { refreshToken: who.refreshToken };
    await refresh(call, who);
    return call('POST /auth/refresh', { json });
  }),
  logout: answered(204, own('POST /auth/logout')),
  'a token after logout': answered(401, async (house, who) => {
    await own('POST /auth/logout')(house, who);
    return own('GET /auth/me')(house, who);
  }),
  registration: answered(201, ({ call }, { username }) => call('POST /auth/register', { json: { email: `${username}@new.example`, password: PASSWORD } })),
  'a new name': answered(200, (house, who) => own('PATCH /auth/me', { name: 'New', username: `new.${who.username}` })(house, who)),
  'a new email': answered(200, (house, who) => own('PATCH /auth/me', { email: `new.${who.email}`, currentPassword: PASSWORD })(house, who)),
  'a new password': answered(204, own('POST /auth/me/password', { currentPassword: PASSWORD, newPassword: NEW_PASSWORD })),
  'the end of other sessions': answered(204, own('DELETE /auth/sessions')),
  'the end of one session': answered(404, (house, who) => own(`DELETE /auth/sessions/${who.id}`)(house, who)),
  'an unknown key': answered(401, ({ call }) => call('GET /api-keys/current', { apiKey: 'nobody-has-this-key' })),
  'a life of a key': answered(204, async ({ call }, { token }) => {
    const made = await call('POST /api-keys', { token, json: { name: 'New', scopes: ['servers:read'] } });
    await call(`GET /api-keys/${made.body.id as string}`, { token });
    await call(`PATCH /api-keys/${made.body.id as string}`, { token, json: { name: 'Renamed' } });
    const rotated = await call(`POST /api-keys/${made.body.id as string}/rotate`, { token, json: { overlapSeconds: 60 } });
    return call(`DELETE /api-keys/${rotated.body.id as string}`, { token });
  }),
  status: answered(200, ({ call }) => call('GET /auth/status')),
  readiness: answered(200, ({ call }) => call('GET /../../health/ready')),
  'keys of a user': answered(200, owner('GET /api-keys?userId=:id')),
  'a new account': answered(201, (house, who) => owner('POST /users', { username: `made.${who.username}`, password: PASSWORD })(house, who)),
  'a change of an account': answered(200, owner('PATCH /users/:id', { name: 'Changed', disabled: true })),
  'an unlocked account': answered(204, owner('POST /users/:id/unlock')),
  'a password for another': answered(204, owner('POST /users/:id/password', { password: NEW_PASSWORD })),
  'another signed out': answered(204, owner('DELETE /users/:id/sessions')),
  'the end of an account': answered(204, owner('DELETE /users/:id')),
};

/** Lists that are narrowed down: how a statement goes depends on what is looked for. A search may look at so many rows. */
export const narrowed = (rows: number): Record<string, Visit> => ({
  ...Object.fromEntries(SEARCHES.map((text): [string, Visit] => [`users with ${text}`, answered(200, owner(`GET /users?search=${encodeURIComponent(text)}`), rows)])),
  'every filter of the audit log': answered(200, async (house, who) => {
    const { rows } = await house.database.pool.query<{ id: string }>("SELECT id FROM users WHERE username_folded = 'person1'");
    let answer = await owner('GET /audit-events')(house, who);
    for (const filter of auditFilters([rows[0]?.id ?? '', who.id], answer.body.nextCursor as string)) {
      answer = await owner(`GET /audit-events?${filter}`)(house, who);
      if (answer.status !== 200) break;
    }
    return answer;
  }),
});

/** Every combination of what the audit log's list can be narrowed down to. */
function auditFilters(users: string[], cursor: string): string[] {
  const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString();
  const combine = (filters: string[], more: string[]): string[] => filters.flatMap((filter) => ['', ...more].map((one) => `${filter}&${one}`));
  return [
    users.map((id) => `userId=${id}`),
    ['login.succeeded', 'user.updated', 'user.deleted'].map((action) => `action=${action}`),
    [`from=${day(3)}`, `to=${day(6)}`, `from=${day(9)}&to=${day(7)}`],
    [`cursor=${cursor}`],
  ].reduce(combine, ['limit=50']).map((filter) => filter.replaceAll(/&+/g, '&').replace(/&$/, ''));
}

/** Lists that dialects page in their own ways. */
export const OF_MOSBOT: Record<string, Visit> = {
  'everybody, at once': answered(200, (house) => house.dialect('GET /admin/users', { token: house.boss })),
  'everybody, further on': answered(200, (house) => house.dialect('GET /users?offset=1000', { token: house.boss })),
  // So many are counted one by one.
  'everybody with a name': answered(200, (house) => house.dialect('GET /users?search=garcia&offset=100', { token: house.boss }), 10_001),
  'nobody with a name': answered(200, (house) => house.dialect('GET /users?search=xyzzy', { token: house.boss })),
};

export const OF_CHATOPS: Record<string, Visit> = {
  'a form': answered(200, (house, { username }) => house.dialect('POST /auth/login', { form: { username, password: PASSWORD } })),
  servers: answered(200, (house, { token }) => house.dialect('GET /servers', { token })),
  'the server of a key': answered(200, (house, { key }) => house.dialect('GET /api-keys/me', { apiKey: key })),
  'a life of a server': answered(204, async (house, { token }) => {
    const { body: server } = await house.dialect('POST /servers', { token, json: { name: 'New' } });
    await house.dialect('POST /api-keys', { token, json: { server_id: server.id } });
    await house.dialect(`GET /api-keys/server/${server.id as string}`, { token });
    return house.dialect(`DELETE /servers/${server.id as string}`, { token });
  }),
};
