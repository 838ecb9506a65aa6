import type { Account } from './account.js';
import { connect } from './agents.js';
import { makeAccount, type Member, sessionOf } from './desk.js';
import { MEASURES } from './measures.js';
import { makeKey } from './person.js';
import { refresh, signIn } from './signing-in.js';

/** Goes on making accounts and ending what they have, until all is over. */
export async function administrate(desk: Account, members: Member[]): Promise<void> {
  const { world, world: { random } } = desk;
  while (!world.over) {
    const member: Member = { account: await makeAccount(desk), deleted: false, disabled: false, change: null };
    members.push(member);
    await equip(member.account);
    await random.pickWeighted(MEASURES)(desk, member);
    await refresh(await sessionOf(desk));
    await world.pause(100, 300);
  }
}

/** Gives an account everything that can be ended. */
async function equip(account: Account): Promise<void> {
  const { world } = account;
  const [session] = await Promise.all([signIn(account), signIn(account)]);
  if (session === null) return;
  const key = await makeKey(account, session);
  if (key === null) return;
  await Promise.all([world.wire.proxy, world.random.pick(world.wire.instances)].map((target) => connect(world, key, target)));
}
