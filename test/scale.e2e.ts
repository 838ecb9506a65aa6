import bcrypt from 'bcrypt';
import { Agent } from './support/agent.js';
import { eventually } from './support/client.js';
import { startGatehouse } from './support/gatehouse.js';
import { PASSWORD } from './support/people.js';
import { compare, tell, total } from './support/scale/costs.js';
import { House } from './support/scale/house.js';
import { type Executed, explainAll, PlanLog, rowsRead } from './support/scale/plans.js';
import { type ScaleDatabase, type ScalePostgres, startPostgres } from './support/scale/postgres.js';
import { EVERYDAY, narrowed, OCCASIONAL, OF_CHATOPS, OF_MOSBOT, type Request, type Visit } from './support/scale/requests.js';
import { seed } from './support/scale/seed.js';
import { WITH_OWNER } from './support/suite.js';

/** A million, or a number that every run has the time for. */
const LONG = process.env['SCALE'] === 'long';
const MANY = LONG ? 1_000_000 : 100_000;
const FEW = 500;
/** The most that a request may cost among many, as a multiple of what it costs among few; more where others use the machine. */
const MOST_CPU = LONG ? 1.2 : 1.5;
/** A search intersects lists that grow with the number of those who are found by a part of it. */
const [SEARCH, MOST_CPU_OF_SEARCH] = ['users by email', LONG ? 20 : 5] as const;
const EFFORT = { rounds: LONG ? 15 : 5, times: (name: string) => (name === 'login' ? 3 : 12) };
/** Who is signed in: in the long form one for each of these requests. */
const PEOPLE = LONG ? 400 : 100;
/** Rows that a statement may look at, however many there are: a page, and what is passed over before it. */
const MOST_ROWS = 2_000;
/**
 * A search for what one account in n has either fetches every nth account or passes over n for each on the page: at worst,
 * where both are as many, the square root of 51 times all. A row passed over counts for a tenth of one that is fetched.
 */
const MOST_ROWS_OF_SEARCH = Math.round(10 * Math.sqrt(51 * MANY));
/** The other tables have a handful of rows. */
const LARGE = ['users', 'sessions', 'api_keys', 'login_attempts', 'audit_events', 'agent_connections', 'chatops_servers'];

jest.setTimeout(LONG ? 1_200_000 : 300_000);

describe(`among ${MANY.toLocaleString('en')} users with as many keys and three times as many sessions`, () => {
  let postgres: ScalePostgres;
  let few: ScaleDatabase;
  let many: ScaleDatabase;

  beforeAll(async () => {
    postgres = await startPostgres();
    const { url } = await postgres.create('migrated');
    await (await startGatehouse({ env: { DATABASE_URL: url, ...WITH_OWNER } })).stop();
    [few, many] = [await postgres.create('few', 'migrated'), await postgres.create('many', 'migrated')];
    const hash = await bcrypt.hash(PASSWORD, 10);
    await seed(few.pool, FEW, hash);
    await seed(many.pool, MANY, hash);
  });
  afterAll(() => postgres.stop());

  it(`a request costs at most ${String(MOST_CPU)} times what it costs among ${String(FEW)}`, async () => {
    // A statement's work is to be seen in the process that serves the request.
    for (const { name, pool } of [few, many]) await pool.query(`ALTER DATABASE ${name} SET max_parallel_workers_per_gather = 0`);
    const houses = [await House.open(few, 'mosbot', FEW, PEOPLE), await House.open(many, 'mosbot', MANY, PEOPLE)] as const;
    const costs = await compare(...houses, EVERYDAY, EFFORT);
    await Promise.all(houses.map(({ gatehouse }) => gatehouse.stop()));
    await many.pool.query('ALTER DATABASE many RESET ALL');
    process.stderr.write(`ms of CPU for a request: server, PostgreSQL; among few, among many; ratio; bytes of WAL\n${costs.map(tell).join('')}`);
    const tooMuch = costs.filter(({ name, few: less, many: more }) => total(more) > (name === SEARCH ? MOST_CPU_OF_SEARCH : MOST_CPU) * total(less));
    expect(tooMuch.map(({ name }) => name)).toEqual([]);
  });

  let house: House;
  let log: PlanLog;
  const visit = async (request: Request, rows = MOST_ROWS): Promise<{ status: number; faults: string[] }> => {
    log.take();
    const { status } = await request(house, house.next());
    return { status, faults: faultsOf(log.take(), rows) };
  };

  const keptEveryday = Object.fromEntries(Object.entries(EVERYDAY).filter(([name]) => name !== SEARCH));
  describe.each<[string, string, number, Record<string, Request>, Record<string, Visit>]>([
    // As those are that no connection keeps.
    ['planned for their values', 'force_custom_plan', 60, EVERYDAY, { ...OCCASIONAL, ...narrowed(MOST_ROWS_OF_SEARCH), ...OF_MOSBOT }],
    // As a connection does with those that it keeps, sooner or later: a search is not among them.
    ['planned once for all values', 'force_generic_plan', 61, keptEveryday, OCCASIONAL],
  ])('statements that are %s go by indexes alone', (_, planCacheMode, people, everyday, visits) => {
    beforeAll(async () => {
      await explainAll(many, planCacheMode);
      log = new PlanLog(postgres.log);
      house = await House.open(many, 'mosbot', MANY, people);
    });
    afterAll(() => house.gatehouse.stop());

    it('start', () => { expect(faultsOf(log.take())).toEqual([]); });
    it.each(Object.entries(everyday))('%s', async (_name, request) => { expect(await visit(request)).toEqual({ status: 200, faults: [] }); });
    it.each(Object.entries(visits))('%s', async (_name, { status, request, rows }) => { expect(await visit(request, rows)).toEqual({ status, faults: [] }); });
  });

  describe('statements for ChatOps and its agents go by indexes alone', () => {
    let agent: Agent;
    beforeAll(async () => {
      await explainAll(many, 'auto');
      log = new PlanLog(postgres.log);
      // The first so many have servers.
      house = await House.open(many, 'chatops', 30_000, 10);
      agent = await Agent.admitted(`${house.gatehouse.url}/api/v1/agents/ws`, house.next().key);
    });
    afterAll(() => house.gatehouse.stop());

    it.each(Object.entries(OF_CHATOPS))('%s', async (_name, { status, request, rows }) => { expect(await visit(request, rows)).toEqual({ status, faults: [] }); });

    it('what keeps connections up to date', async () => {
      const executed: Executed[] = [];
      // A key is looked at when it has changed.
      await many.pool.query("UPDATE api_keys SET expires_at = now() + interval '1 day' WHERE id IN (SELECT api_key_id FROM agent_connections WHERE instance_id IS NOT NULL)");
      await eventually(() => {
        executed.push(...log.take());
        for (const regular of ['UPDATE agent_instances SET seen_at', 'FROM api_key_changes WHERE transaction_id', 'k.id = ANY($1::uuid[])', 'UPDATE api_keys SET last_used_at']) {
          expect(executed.map(({ text }) => text).join('\n')).toContain(regular);
        }
      });
      await agent.leave();
      expect(faultsOf(executed)).toEqual([]);
    });
  });
});

/** What is wrong with statements that were executed: each that read a large table as a whole, or far too much of it. */
function faultsOf(executed: readonly Executed[], rows = MOST_ROWS): string[] {
  return executed
    // Every connection writes the time there every few seconds, so an index on it would cost more than the odd reading.
    .filter(({ text }) => !text.startsWith('DELETE FROM agent_connections'))
    .flatMap(({ text, steps }) => {
      const scanned = steps.filter((step) => step['Node Type'].includes('Seq Scan') && LARGE.includes(step['Relation Name'] ?? ''));
      const most = Math.max(...steps.map(rowsRead));
      return scanned.length > 0 || most > rows ? [`${String(most)} rows, ${scanned.map((step) => step['Relation Name']).join()}: ${text}`] : [];
    });
}
