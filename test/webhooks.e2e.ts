import { gatehouse, gatehouseJson } from './support/cli.js';
import { eventually } from './support/client.js';
import { owner, type Person } from './support/people.js';
import { startSuite, type Suite } from './support/suite.js';
import { WebhookReceiver } from './support/webhook-receiver.js';

const SECRET = 'whsec_q7Yt2mVx9Zk4Lw8RbN3cJ6hGf1DaE5uXo0TiKvBnMqU=';

describe('web hooks', () => {
  let receiver: WebhookReceiver;
  let suite: Suite;
  let boss: Person;

  beforeAll(async () => {
    receiver = await WebhookReceiver.start(SECRET);
    suite = await startSuite({
      WEBHOOK_URLS: `${receiver.url}/hook?token=hush-hush`, WEBHOOK_SECRET: SECRET, WEBHOOK_EVENTS: 'login.succeeded,login.failed,api_key.created',
    });
    await suite.startAnother();
    boss = await owner(suite.api);
  });
  afterAll(async () => {
    await suite.stop();
    await receiver.stop();
  });
  afterEach(async () => {
    receiver.answer = 204;
    await suite.database.pool.query('DELETE FROM webhook_deliveries');
    receiver.received.length = 0;
  });

  let guesses = 0;
  /** Somebody unknown each time: the same one would be locked out. */
  const guess = (api = suite.api): Promise<unknown> =>
    api.call('POST /auth/login', { json: { email: `nobody-${String(guesses += 1)}@example.com`, password: 'a wrong guess' } });
  const deliveries = async (): Promise<{ attempts: number; delivered: boolean; dead: boolean; last_error: string | null; seconds: number }[]> => {
    const { rows } = await suite.database.pool.query(
      `SELECT attempts, delivered_at IS NOT NULL AS delivered, dead_at IS NOT NULL AS dead, last_error,
              extract(epoch FROM next_attempt_at - now())::float AS seconds FROM webhook_deliveries ORDER BY id`);
    return rows;
  };
  /** As if the pause before the next attempt were over; what comes of that attempt is then seen in the row. */
  const hurry = (): Promise<unknown> =>
    suite.database.pool.query('UPDATE webhook_deliveries SET next_attempt_at = now(), last_error = NULL WHERE dead_at IS NULL');

  it('are told of the events that they want, signed, each once', async () => {
    await eventually(() => { expect(receiver.received).toHaveLength(1); });
    const key = await suite.api.createKey(boss.token, ['servers:read']);
    await suite.api.call('PATCH /auth/me', { token: boss.token, json: { name: 'Olga' } });
    await guess();
    await eventually(async () => { expect((await deliveries()).map(({ delivered }) => delivered)).toEqual([true, true, true]); });
    expect(receiver.received.map(({ body, sound, path }) => [body.type, sound, path])).toEqual([
      ['login.succeeded', true, '/hook?token=hush-hush'], ['api_key.created', true, '/hook?token=hush-hush'], ['login.failed', true, '/hook?token=hush-hush'],
    ]);
    const { body } = await suite.api.call('GET /audit-events?action=api_key.created', { token: boss.token });
    const [event] = body.items;
    expect(receiver.received[1]).toMatchObject({ id: event.id, body: { type: 'api_key.created', timestamp: event.at, data: event } });
    expect(JSON.stringify(receiver.received)).not.toContain(key.key);
  });

  it('are told again, later and later, and given up in the end', async () => {
    receiver.answer = 500;
    await guess();
    for (let attempt = 1; attempt < 8; attempt += 1) {
      const pause = [0, 5, 40, 200, 1_300, 5_000, 17_000, 34_000][attempt] ?? Infinity;
      await eventually(async () => {
        const [delivery] = await deliveries();
        expect(delivery).toMatchObject({ attempts: attempt, delivered: false, dead: false, last_error: 'answered 500' });
        expect(delivery?.seconds).toBeGreaterThan(pause);
      });
      await hurry();
    }
    await eventually(async () => { expect(await deliveries()).toMatchObject([{ attempts: 8, dead: true, last_error: 'answered 500' }]); });
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    expect(receiver.received).toHaveLength(8);
  });

  it('arrive once the receiver is back', async () => {
    receiver.answer = 503;
    await guess();
    await eventually(async () => { expect((await deliveries())[0]).toMatchObject({ attempts: 1, last_error: 'answered 503' }); });
    receiver.answer = 200;
    await hurry();
    await eventually(async () => { expect((await deliveries())[0]).toMatchObject({ attempts: 2, delivered: true, last_error: null }); });
  });

  it.each([[302, false, 'answered 302'], [410, true, 'answered 410']])('that answer %i are not followed; given up at once: %s', async (status, dead, error) => {
    receiver.answer = status;
    await guess();
    await eventually(async () => { expect(await deliveries()).toMatchObject([{ attempts: 1, delivered: false, dead, last_error: error }]); });
    expect(receiver.received).toHaveLength(1);
  });

  it('that were given up are seen, and sent again, from the command line', async () => {
    const options = { env: { DATABASE_URL: suite.database.url } };
    receiver.answer = 410;
    await guess();
    await guess();
    await eventually(async () => { expect((await deliveries()).map(({ dead }) => dead)).toEqual([true, true]); });
    const { items } = await gatehouseJson(['webhook', 'list'], options);
    expect(items).toEqual([1, 2].map(() => ({
      id: expect.any(String) as string, eventId: expect.any(String) as string, action: 'login.failed', endpoint: expect.stringMatching(/^[\w-]+$/) as string,
      attempts: 1, deadAt: expect.any(String) as string, error: 'answered 410',
    })));
    expect(await gatehouseJson(['webhook', 'list', '--limit', '1'], options)).toEqual({ items: [items[0]], nextCursor: expect.any(String) as string });
    expect(await gatehouse(['webhook', 'retry'], options)).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') as string });
    receiver.answer = 204;
    expect(await gatehouse(['webhook', 'retry', items[0].id as string], options)).toMatchObject({ code: 0, stdout: '1 of them will be attempted again.\n' });
    await eventually(async () => { expect((await deliveries()).map(({ delivered }) => delivered).sort()).toEqual([false, true]); }, 30_000);
    expect(await gatehouse(['webhook', 'retry', items[0].id as string], options)).toMatchObject({ code: 3 });
    expect(await gatehouse(['webhook', 'retry', '--all'], options)).toMatchObject({ code: 0, stdout: '1 of them will be attempted again.\n' });
    await eventually(async () => { expect((await deliveries()).map(({ delivered }) => delivered)).toEqual([true, true]); }, 30_000);
  }, 180_000);

  it.each([['SIGKILL', null], ['SIGTERM', 0]] as const)('keep nobody waiting, and are sent by another when their sender ends by %s', async (signal, code) => {
    receiver.answer = null;
    const third = await suite.startAnother();
    await guess(third);
    await eventually(() => { expect(receiver.received).toHaveLength(1); });
    expect(await third.gatehouse.stop(signal)).toBe(code);
    expect(await deliveries()).toMatchObject([{ attempts: 1, delivered: false, dead: false, last_error: null }]);
    receiver.answer = 204;
    await hurry();
    await eventually(async () => { expect(await deliveries()).toMatchObject([{ delivered: true }]); });
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  });

  it('leave neither URL nor secret in the database or the log', async () => {
    await guess();
    await eventually(async () => { expect(await deliveries()).toMatchObject([{ delivered: true }]); });
    const { rows } = await suite.database.pool.query<{ text: string }>('SELECT d::text AS text FROM webhook_deliveries d');
    for (const text of [...rows.map((row) => row.text), suite.gatehouse.output()]) expect(text).not.toMatch(/hush-hush|whsec_|q7Yt2mVx/);
  });

  it('that the settings no longer name are left to instances that know them, and given up when there are none', async () => {
    const late = async (age: string): Promise<void> => {
      await suite.database.pool.query(
        "INSERT INTO webhook_deliveries (id, event_id, endpoint, next_attempt_at) SELECT gen_random_uuid(), id, $1::text, now() - $1::text::interval FROM audit_events LIMIT 1", [age]);
    };
    await late('23 hours');
    await late('25 hours');
    const another = await suite.startAnother();
    const state = async () => (await suite.database.pool.query('SELECT endpoint, attempts, dead_at IS NOT NULL AS dead, last_error FROM webhook_deliveries ORDER BY endpoint')).rows;
    await eventually(async () => { expect(await state()).toEqual([
      { endpoint: '23 hours', attempts: 0, dead: false, last_error: null },
      { endpoint: '25 hours', attempts: 0, dead: true, last_error: 'this endpoint is no longer in WEBHOOK_URLS' },
    ]); });
    await another.gatehouse.stop();
  });

  it('do not wait for another that does not answer', async () => {
    const deaf = await WebhookReceiver.start(SECRET);
    deaf.answer = null;
    const third = await suite.startAnother({ WEBHOOK_URLS: `${receiver.url}/hook,${deaf.url}/hook`, WEBHOOK_EVENTS: 'api_key.created' });
    for (let n = 0; n < 25; n += 1) await third.createKey(boss.token, ['servers:read']);
    await eventually(() => { expect(receiver.received.filter(({ path }) => path === '/hook')).toHaveLength(25); });
    expect(deaf.received).not.toHaveLength(0);
    expect(deaf.received).not.toHaveLength(25);
    await third.gatehouse.stop();
    await deaf.stop();
  });

  it('count as delivered where somebody was slow to say that it had not worked', async () => {
    receiver.answer = null;
    await guess();
    await eventually(() => { expect(receiver.received).toHaveLength(1); });
    // As if the lease had ended, and another had made the next attempt.
    await suite.database.pool.query('UPDATE webhook_deliveries SET attempts = 2, delivered_at = now()');
    receiver.answer = 204;
    receiver.release(410);
    // Whatever was to be said of the first has been said when the next one goes through the same lane.
    await guess();
    await eventually(async () => { expect((await deliveries()).filter(({ delivered }) => delivered)).toHaveLength(2); });
    expect((await deliveries()).find(({ attempts }) => attempts === 2)).toMatchObject({ delivered: true, dead: false });
  });
});
