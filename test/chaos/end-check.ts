import type { Account } from './account.js';
import { ask, type Member } from './desk.js';
import type { History } from './history.js';
import type { Postgres } from './postgres.js';
import { refresh, signIn } from './signing-in.js';
import type { Reply } from './wire.js';
import type { Credential, World } from './world.js';

/** Of the credentials that have ended, the latest are shown everywhere once more, the others somewhere. */
const SHOWN_EVERYWHERE = 150;
const AT_ONCE = 8;

/** Everybody who had to do with the server. */
export interface Cast {
  /** An administrator to ask with. */
  readonly desk: Account;
  readonly members: readonly Member[];
  /** All other accounts. */
  readonly others: readonly Account[];
}

/** Looks for all that was acknowledged, when everything is calm again, and shows every credential once more. */
export async function checkTheEnd(world: World, { desk, members, others }: Cast, postgres: Postgres): Promise<void> {
  await showAll(world);
  await each(others, async (account) => { await checkAccount(desk, account); });
  await each(members, async (member) => { await checkMember(desk, member); });
  await checkRows(world.history, postgres);
}

async function showAll(world: World): Promise<void> {
  const { live, ended, wire, random } = world;
  const early = ended.slice(0, -SHOWN_EVERYWHERE);
  await each(early, (credential) => world.use(credential, random.pick(wire.targets)));
  await each([...ended.slice(-SHOWN_EVERYWHERE), ...live], async (credential: Credential) => {
    for (const target of wire.targets) await world.use(credential, target);
  });
}

/** The account is there, can be signed in to, and has its keys, its sessions and one of the names that it may have. */
async function checkAccount(desk: Account, account: Account): Promise<void> {
  const { world } = account;
  for (const session of account.sessions) {
    session.quietUntil = 0;
    await refresh(session);
    // The last one is good if it is accepted.
    session.latest.found ??= await lastUseOf(world, session);
  }
  for (const key of account.keys) key.made.found = await lastUseOf(world, key);
  const signedIn = await signIn(account);
  if (account.passwordChange !== null) account.passwordChange.found = signedIn !== null;
  if (signedIn !== null) signedIn.latest.found = await lastUseOf(world, signedIn);
  if (account.made === null) return;
  const reply = await ask(desk, `GET /users/${account.id}`);
  account.made.found = reply.status === 200;
  account.name.settle((reply.body as { name: string | null }).name);
}

async function lastUseOf(world: World, credential: Credential): Promise<boolean> {
  const before = world.history.uses.length;
  await world.use(credential, world.wire.proxy);
  return world.history.uses.slice(before).find((use) => use.credential === credential.name)?.accepted ?? false;
}

async function checkMember(desk: Account, member: Member): Promise<void> {
  const { account, deleted, disabled, change } = member;
  const reply = await ask(desk, `GET /users/${account.id}`);
  if (deleted === false && disabled === false) await checkAccount(desk, account);
  else if (account.made !== null && deleted === false) account.made.found = reply.status === 200;
  if (change !== null) change.found = isAsKnown(reply, member);
}

function isAsKnown({ status, body }: Reply, { deleted, disabled }: Member): boolean {
  if (deleted === true) return status === 404;
  return status === 200 && ((body as { disabledAt: string | null }).disabledAt !== null) === disabled;
}

/** What the API does not show in few requests: revoked keys, and the audit events of all that was acknowledged. */
async function checkRows(history: History, postgres: Postgres): Promise<void> {
  const revoked = await idsOf(postgres, 'SELECT id FROM api_keys WHERE revoked_at IS NOT NULL');
  for (const write of history.writes) if (/^(revoked|rotated) key$/.test(write.what)) write.found = revoked.has(write.id);
  for (const [what, ...actions] of AUDITED) {
    const recorded = await idsOf(postgres, 'SELECT subject_id AS id FROM audit_events WHERE action = ANY($1)', [actions]);
    for (const { id, answered } of history.writes.filter((write) => write.what === what)) {
      history.writes.push({ what: `audit event of a ${what}`, id, answered, found: recorded.has(id), superseded: false });
    }
  }
}

/** Each kind of change whose id is an audit event's subject, and the actions that say so. */
const AUDITED: readonly (readonly [what: string, ...actions: string[]])[] = [
  ['user', 'user.created'],
  ['disabled user', 'user.disabled'],
  ['enabled user', 'user.enabled'],
  ['deleted user', 'user.deleted'],
  // A key that a rotation has ended, whose answer was lost, is revoked already: that is what its event says.
  ['revoked key', 'api_key.revoked', 'api_key.rotated'],
  ['rotated key', 'api_key.rotated'],
];

async function idsOf(postgres: Postgres, statement: string, values: unknown[] = []): Promise<Set<string>> {
  return new Set((await postgres.query<{ id: string }>(statement, values)).map(({ id }) => id));
}

/** Does something for each of many, some at a time. */
async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const item of left) await work(item);
  }));
}
