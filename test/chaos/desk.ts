import { OWNER } from '../support/suite.js';
import { Account, passwordOf, type Session } from './account.js';
import { acknowledge, type Write } from './history.js';
import { signIn } from './signing-in.js';
import type { Reply } from './wire.js';
import type { World } from './world.js';

/** An account that an administrator made, and what became of it; `null` where nobody knows. */
export interface Member {
  readonly account: Account;
  deleted: boolean | null;
  disabled: boolean | null;
  /** The last change of these two that was acknowledged. */
  change: Write | null;
}

let made = 0;

/** The account that every suite begins with. */
export function ownersDesk(world: World): Account {
  return new Account(world, '', OWNER.username, { text: OWNER.password, credential: `password of ${OWNER.username}` }, null);
}

/** Makes an account of its own for a client. */
export async function makeAccount(desk: Account, role: 'owner' | 'member' = 'member', keepsCookies = false): Promise<Account> {
  const { world } = desk;
  const username = `${role}-${String(made += 1)}`;
  const password = passwordOf(username, 0);
  const unanswered: Reply[] = [];
  const reply = await ask(desk, 'POST /users', { username, password: password.text, role }, (attempt) => { unanswered.push(attempt); });
  // Made by an attempt that was not answered, it is taken, and found.
  const known = reply.status === 409 && unanswered.length > 0 ? await ask(desk, `GET /users?search=${username}`) : null;
  const id = known === null ? (reply.body as { id?: string }).id : (known.body.items as { id: string }[])[0]?.id;
  if (id === undefined) throw new Error(`no account was made: ${String(reply.status)} ${JSON.stringify(reply.body)}`);
  return new Account(world, id, username, password, acknowledge(world.history, 'user', id, reply.ended), keepsCookies);
}

/** Sends a request as an administrator, who stays signed in. */
export async function ask(desk: Account, line: string, json?: unknown, retried?: (attempt: Reply) => void): Promise<Reply> {
  for (;;) {
    const session = await sessionOf(desk);
    const reply = await desk.world.insist(line, { token: session.token, ...(json === undefined ? {} : { json }) }, retried);
    desk.world.noteUse(session.name, reply);
    if (reply.status !== 401) return reply;
    desk.drop(session);
  }
}

/** The session that an administrator works in. */
export async function sessionOf(desk: Account): Promise<Session> {
  for (;;) {
    const [session] = desk.sessions;
    if (session !== undefined) return session;
    await signIn(desk);
  }
}
