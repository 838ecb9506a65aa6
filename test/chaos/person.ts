import type { Account, ApiKey, Session } from './account.js';
import { connect } from './agents.js';
import { acknowledge } from './history.js';
import { logIn, refresh, signIn } from './signing-in.js';
import { endUnderFire } from './under-fire.js';

const MOST_SESSIONS = 3;
const MOST_KEYS = 4;
const SCOPES = ['servers:read', 'agents:connect'];

type Action = (account: Account, session: Session) => Promise<void>;

/** What somebody does, and how often. */
const ACTIONS: readonly (readonly [number, Action])[] = [
  [20, look],
  [14, (_, session) => refresh(session)],
  [6, async (account) => { if (account.sessions.size < MOST_SESSIONS) await signIn(account); }],
  [5, logOut],
  [3, endOtherSession],
  [1, endAllOtherSessions],
  [10, async (account, session) => { await makeKey(account, session); }],
  [6, revokeKey],
  [3, rotateKey],
  [6, openSocket],
  [5, rename],
];

/** Goes on doing what people do with their account, one thing after the other, until all is over. */
export async function livePerson(account: Account, changesPassword: boolean): Promise<void> {
  const { world, world: { random } } = account;
  const actions = changesPassword ? [...ACTIONS, [3, changePassword] as const] : ACTIONS;
  while (!world.over) {
    const session = account.sessions.size === 0 ? await signIn(account) : random.pick([...account.sessions]);
    if (session !== null && account.sessions.has(session)) await random.pickWeighted(actions)(account, session);
    await world.pause(20, 120);
  }
}

async function look({ world, keys }: Account, session: Session): Promise<void> {
  await world.use(world.random.pick([session, ...keys]), world.wire.anywhere());
}

async function logOut(account: Account, session: Session): Promise<void> {
  await endUnderFire(account.world, [session], () => account.sweepOf(session, 'logout'), {
    line: 'POST /auth/logout',
    cargo: { token: session.token },
    isDone: ({ status }) => status === 204,
  });
}

async function endOtherSession(account: Account, session: Session): Promise<void> {
  const other = [...account.sessions].find((one) => one !== session);
  if (other === undefined) return;
  const { reply } = await endUnderFire(account.world, [other], () => account.sweepOf(other, 'the end of that session'), {
    line: `DELETE /auth/sessions/${other.id}`,
    cargo: { token: session.token },
    // An attempt that was carried out but not answered leaves nothing to be found.
    isDone: ({ status }) => status === 204 || status === 404,
  });
  account.world.noteUse(session.name, reply);
}

async function endAllOtherSessions(account: Account, session: Session): Promise<void> {
  const others = [...account.sessions].filter((one) => one !== session);
  const { reply } = await endUnderFire(account.world, others, () => account.sweep('the end of all other sessions', { complete: false, except: session }), {
    line: 'DELETE /auth/sessions',
    cargo: { token: session.token },
    isDone: ({ status }) => status === 204,
  });
  account.world.noteUse(session.name, reply);
}

export async function makeKey(account: Account, session: Session): Promise<ApiKey | null> {
  if (account.keys.size >= MOST_KEYS) return null;
  const reply = await account.world.insist('POST /api-keys', { token: session.token, json: { name: account.username, scopes: SCOPES } });
  account.world.noteUse(session.name, reply);
  return reply.status === 201 ? account.receive(reply) : null;
}

async function revokeKey(account: Account, session: Session): Promise<void> {
  const { world } = account;
  if (account.keys.size === 0) return;
  const key = world.random.pick([...account.keys]);
  const { reply, done } = await endUnderFire(world, [key], () => account.sweepOf(key, 'revocation'), {
    line: `DELETE /api-keys/${key.id}`,
    cargo: { token: session.token },
    isDone: ({ status }) => status === 204,
  });
  world.noteUse(session.name, reply);
  if (done) acknowledge(world.history, 'revoked key', key.id, reply.ended);
}

async function rotateKey(account: Account, session: Session): Promise<void> {
  const { world } = account;
  if (account.keys.size === 0) return;
  const key = world.random.pick([...account.keys]);
  const { reply } = await endUnderFire(world, [key], () => account.sweepOf(key, 'rotation'), {
    line: `POST /api-keys/${key.id}/rotate`,
    cargo: { token: session.token, json: {} },
    // Rotated by an attempt that was not answered, a key has ended, and its successor is lost with the answer.
    isDone: ({ status }, again) => status === 201 || (status === 404 && again),
  });
  world.noteUse(session.name, reply);
  if (reply.status !== 201) return;
  acknowledge(world.history, 'rotated key', key.id, reply.ended);
  account.receive(reply);
}

async function openSocket({ world, keys }: Account): Promise<void> {
  if (keys.size > 0) await connect(world, world.random.pick([...keys]), world.wire.anywhere());
}

async function rename(account: Account, session: Session): Promise<void> {
  const { world } = account;
  const name = `${account.username}, ${world.random.next().toString(36)}`;
  const acknowledged = account.name.begin(name);
  const reply = await world.insist('PATCH /auth/me', { token: session.token, json: { name } });
  world.noteUse(session.name, reply);
  if (reply.status === 200) acknowledged(reply.ended);
}

/** Changes the password, which ends every other session; now and then the old one is tried afterwards. */
async function changePassword(account: Account, session: Session): Promise<void> {
  const { world, password: old } = account;
  if (account.pendingPasswords.length > 0 || account.changing) return;
  account.changing = true;
  const next = account.newPassword();
  const others = [...account.sessions].filter((one) => one !== session);
  try {
    const { reply, done } = await endUnderFire(world, others, () => {
      account.pendingPasswords.push(next);
      const sweep = account.sweep('a change of the password', { complete: true, except: session, spares: next });
      sweep.add(old.credential);
      return sweep;
    }, {
      line: 'POST /auth/me/password',
      cargo: { token: session.token, json: { currentPassword: old.text, newPassword: next.text } },
      isDone: ({ status }) => status === 204,
    });
    world.noteUse(session.name, reply);
    if (!done) return;
    account.confirmPassword(next, reply.ended);
    if (world.random.chance(0.4)) await logIn(account, old);
  } finally {
    account.changing = false;
  }
}
