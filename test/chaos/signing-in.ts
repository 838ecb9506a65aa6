import type { Account, Password, Session } from './account.js';
import { acknowledge, beginEnding } from './history.js';
import type { Reply } from './wire.js';

/** `REFRESH_REUSE_GRACE`: how long a refresh token that was used may come again. */
const GRACE_MS = 10_000;
/** Longer than a request may be under way after its client has given it up. */
const QUIET_MS = 5_000;

/**
 * Signs in with the password that the account has, or may have by now.
 * @returns the session; `null` when the account is on its way out
 */
export async function signIn(account: Account): Promise<Session | null> {
  for (const password of [account.password, ...account.pendingPasswords]) {
    const reply = await logIn(account, password);
    if (reply.status === 200) {
      if (account.pendingPasswords.includes(password)) account.confirmPassword(password, reply.ended);
      return account.enter(reply, password);
    }
  }
  return null;
}

/** Tries one password, and says what is known by the answer. */
export async function logIn(account: Account, password: Password): Promise<Reply> {
  const { world, username: identifier, cookie } = account;
  // Only a password that is acknowledged, or was, is known to be right or wrong.
  const certain = !account.pendingPasswords.includes(password);
  const reply = await world.insist('POST /auth/login', { cookie, json: { identifier, password: password.text } });
  switch (reply.status) {
    case 200:
    case 401:
      if (certain) world.noteUse(password.credential, reply);
      break;
    case 403:
      break;
    case 423: {
      const { onlyRightPasswords } = account;
      world.history.lockouts.push({ account: identifier, at: reply.begun, onlyRightPasswords });
      await world.unlock(account.id);
      break;
    }
    default:
      world.surprise(reply);
  }
  const [device] = reply.headers['set-cookie'] ?? [];
  if (account.keepsCookies && device !== undefined) account.cookie = device.split(';')[0];
  return reply;
}

/** Exchanges the refresh token, now and then in two tabs at once, and again when the answer got lost. */
export async function refresh(session: Session): Promise<void> {
  const { world } = session.account;
  if (session.busy || performance.now() < session.quietUntil) return;
  session.busy = true;
  try {
    const begun = performance.now();
    const cargo = { json: { refreshToken: session.refreshToken } };
    const unanswered = (reply: Reply): void => { if (reply.status !== 503) session.quietUntil = reply.ended + QUIET_MS; };
    const tabs = world.random.chance(0.2) ? 2 : 1;
    const replies = await Promise.all(Array.from({ length: tabs }, () => world.insist('POST /auth/refresh', cargo, unanswered)));
    for (const reply of replies) take(session, reply, begun, replies[0]!);
  } finally {
    session.busy = false;
  }
}

function take(session: Session, reply: Reply, begun: number, first: Reply): void {
  const { account, account: { world }, name } = session;
  if (reply.status === 401 && reply.ended - begun > GRACE_MS) {
    // Nobody could have kept it: the first request may have been carried out that long ago.
    beginEnding(world.history, name, 'the grace ran out', begun + GRACE_MS);
    account.drop(session);
  }
  world.noteUse(name, reply);
  if (reply.status === 401) {
    if (account.sessions.has(session)) session.latest.found = false;
    account.drop(session);
    return;
  }
  if (reply.status !== 200) {
    world.surprise(reply);
    return;
  }
  const { refreshToken } = reply.body as { refreshToken: string };
  if (reply !== first && first.status === 200 && refreshToken !== (first.body as { refreshToken: string }).refreshToken) {
    world.surprise(reply);
  }
  session.keep(reply);
  session.refreshToken = refreshToken;
  if (reply !== first) return;
  session.latest.found = true;
  session.latest = acknowledge(world.history, 'successor of a refresh token', name, reply.ended);
  session.latest.superseded = !account.sessions.has(session);
}
