import { join } from 'node:path';
import { Api, eventually, type Json, send } from './support/client.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { type Gatehouse, startGatehouse } from './support/gatehouse.js';
import { owner, type Person } from './support/people.js';
import { WITH_OWNER } from './support/suite.js';

const PROGRAM = ['--import', '@swc-node/register/esm-register', join(__dirname, 'support', 'events-app', 'main.ts')];

describe('a module that listens to security events', () => {
  let database: TestDatabase;
  let product: Gatehouse;
  let api: Api;
  let boss: Person;
  const heard = async (action: string, by = 'all'): Promise<Json[]> => {
    const { body } = await send(`GET ${product.url}/heard`);
    return (body as Json[]).filter((one) => one.action === action && one.by === by);
  };

  beforeAll(async () => {
    database = await createDatabase();
    product = await startGatehouse({ program: PROGRAM, env: { DATABASE_URL: database.url, ...WITH_OWNER } });
    api = new Api(product);
    boss = await owner(api);
  });
  afterAll(async () => {
    expect(await product.stop()).toBe(0);
    await database.drop();
  });

  it('hears of what happened once it is committed, with all that the audit log has', async () => {
    await eventually(async () => { expect(await heard('login.succeeded')).toHaveLength(1); });
    const [{ event, committed }] = await heard('login.succeeded');
    expect(committed).toBe(true);
    const { body } = await api.call('GET /audit-events?action=login.succeeded', { token: boss.token });
    expect(event).toEqual(body.items[0]);
    expect(event).toMatchObject({ actor: { type: 'user', id: boss.id }, detail: { sessionId: event.sessionId, dialect: null } });
  });

  it('hears by action, with the detail of that action', async () => {
    await api.call('POST /auth/login', { json: { email: 'nobody@example.com', password: 'a wrong guess' } });
    await eventually(async () => { expect(await heard('login.failed', 'unknown_account')).toHaveLength(1); });
    expect((await heard('login.failed', 'unknown_account'))[0].event).toMatchObject({ outcome: 'failure', actor: null, subject: null });
    expect(JSON.stringify(await heard('login.failed'))).not.toContain('nobody@example.com');
  });

  it('harms nobody when it fails', async () => {
    const user = await api.createUser(boss.token, { email: 'ada@example.com', password: 'three random words 42' });
    await eventually(() => { expect(product.output()).toContain('A listener of user.created failed: the alert could not be sent'); });
    await eventually(async () => { expect((await heard('user.created'))[0]?.event.subject).toEqual({ type: 'user', id: user.id }); });
  });

  it('never hears of what was rolled back', async () => {
    // Refuses at the very end of the transaction, when all that it does has been done.
    await database.pool.query(`
      CREATE FUNCTION doom() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'doomed'; END $$;
      CREATE CONSTRAINT TRIGGER doom AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.name = 'Doomed') EXECUTE FUNCTION doom()`);
    expect((await api.call('PATCH /auth/me', { token: boss.token, json: { name: 'Doomed' } })).status).toBe(500);
    expect((await api.call('PATCH /auth/me', { token: boss.token, json: { name: 'Olga' } })).status).toBe(200);
    await eventually(async () => { expect(await heard('user.updated')).toHaveLength(1); });
    const { rows } = await database.pool.query("SELECT id FROM audit_events WHERE action = 'user.updated'");
    expect(rows).toEqual([{ id: (await heard('user.updated'))[0].event.id }]);
  });
});
