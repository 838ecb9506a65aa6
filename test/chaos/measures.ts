import type { Account, Session } from './account.js';
import { ask, type Member, sessionOf } from './desk.js';
import { acknowledge } from './history.js';
import { logIn, signIn } from './signing-in.js';
import type { Sweep } from './sweep.js';
import { type EndingRequest, endUnderFire } from './under-fire.js';
import type { Reply } from './wire.js';

/** What an administrator does to a member, and how often. */
export const MEASURES: readonly (readonly [number, (desk: Account, member: Member) => Promise<void>])[] = [
  [3, disable], [2, remove], [2, setPassword], [2, signOut], [2, revokeKey],
];

/** What a measure ends: sessions always, and whatever is named. */
interface Reach {
  /** Whether no session that is started meanwhile can overtake it. */
  complete: boolean;
  keys?: boolean;
  password?: boolean;
}

/** Sends the request of a measure, while somebody may be signing in to the account. */
async function take(
  desk: Account,
  { account }: Member,
  by: string,
  reach: Reach,
  { json, ...request }: Omit<EndingRequest, 'cargo'> & { json?: unknown },
): Promise<{ sweep: Sweep; reply: Reply; done: boolean }> {
  const { world } = desk;
  const session = await sessionOf(desk);
  const latecomers: Promise<Session | null>[] = [];
  const result = await endUnderFire(
    world,
    [...account.sessions, ...(reach.keys === true ? account.keys : [])],
    () => {
      if (world.random.chance(0.3)) latecomers.push(signIn(account));
      const sweep = account.sweep(by, reach);
      if (reach.password === true) sweep.add(account.password.credential);
      return sweep;
    },
    { ...request, cargo: { token: session.token, ...(json === undefined ? {} : { json }) } },
  );
  world.noteUse(session.name, result.reply);
  await Promise.all(latecomers);
  return result;
}

/** Disables an account, and now and then enables it again: its keys come back, its sessions do not. */
async function disable(desk: Account, member: Member): Promise<void> {
  const { account, account: { world, id } } = member;
  const keys = [...account.keys];
  member.disabled = null;
  const { sweep, reply, done } = await take(desk, member, 'the disabling of the account', { complete: true, keys: true }, {
    line: `PATCH /users/${id}`,
    json: { disabled: true },
    isDone: ({ status }) => status === 200,
  });
  if (!done) return;
  member.disabled = true;
  if (world.random.chance(0.5)) {
    member.change = acknowledge(world.history, 'disabled user', id, reply.ended);
    return;
  }
  const lifted = sweep.lift(keys.map(({ name }) => name));
  member.disabled = null;
  const enabled = await ask(desk, `PATCH /users/${id}`, { disabled: false });
  if (enabled.status !== 200) return;
  lifted(enabled.ended);
  member.disabled = false;
  member.change = acknowledge(world.history, 'enabled user', id, enabled.ended);
  for (const key of keys) account.hold(key);
  for (const key of keys) for (const target of world.wire.targets) await world.use(key, target);
}

/** Deletes an account. */
async function remove(desk: Account, member: Member): Promise<void> {
  const { account: { world, id, made } } = member;
  member.deleted = null;
  if (made !== null) made.superseded = true;
  const { reply, done } = await take(desk, member, 'the deletion of the account', { complete: true, keys: true, password: true }, {
    line: `DELETE /users/${id}`,
    // Deleted by an attempt that was not answered, it is not there.
    isDone: ({ status }, again) => status === 204 || (status === 404 && again),
  });
  if (!done) return;
  member.deleted = true;
  member.change = acknowledge(world.history, 'deleted user', id, reply.ended);
}

/** Sets an account's password. */
async function setPassword(desk: Account, member: Member): Promise<void> {
  const { account, account: { id, password: old } } = member;
  const next = account.newPassword();
  const { reply, done } = await take(desk, member, 'a password that an administrator set', { complete: true, password: true }, {
    line: `POST /users/${id}/password`,
    json: { password: next.text },
    isDone: ({ status }) => status === 204,
  });
  if (!done) {
    account.pendingPasswords.push(next);
    return;
  }
  account.confirmPassword(next, reply.ended);
  await logIn(account, old);
}

/** Signs somebody out everywhere. */
async function signOut(desk: Account, member: Member): Promise<void> {
  await take(desk, member, 'a sign-out by an administrator', { complete: false }, {
    line: `DELETE /users/${member.account.id}/sessions`,
    isDone: ({ status }) => status === 204,
  });
}

/** Revokes somebody's key. */
async function revokeKey(desk: Account, { account, account: { world } }: Member): Promise<void> {
  const [key] = account.keys;
  if (key === undefined) return;
  const session = await sessionOf(desk);
  const { reply, done } = await endUnderFire(world, [key], () => account.sweepOf(key, 'revocation by an administrator'), {
    line: `DELETE /api-keys/${key.id}`,
    cargo: { token: session.token },
    isDone: ({ status }) => status === 204,
  });
  world.noteUse(session.name, reply);
  if (done) acknowledge(world.history, 'revoked key', key.id, reply.ended);
}
