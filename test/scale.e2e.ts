import bcrypt from 'bcrypt';
import { Agent } from './support/agent.js';
import { eventually } from './support/client.js';
import { startGatehouse } from './support/gatehouse.js';
import { PASSWORD } from './support/people.js';
import { compare, tell, total } from './support/scale/cpu.js';
import { House } from './support/scale/house.js';
import { type Executed, explainAll, PlanLog, rowsRead } from './support/scale/plans.js';
import { type ScaleDatabase, type ScalePostgres, startPostgres } from './support/scale/postgres.js';
import { EVERYDAY, NARROWED, OCCASIONAL, OF_CHATOPS, OF_MOSBOT, type Request, type Visit } from './support/scale/requests.js';
import { seed } from './support/scale/seed.js';
import { WITH_OWNER } from './support/suite.js';

/** A million, or a number that every run has the time for. */
const LONG = process.env['SCALE'] === 'long';
const MANY = LONG ? 1_000_000 : 100_000;
const FEW = 500;
/** The most that a request may cost among many, as a multiple of what it costs among few; more where others use the machine. */
const MOST_CPU = LONG ? 1.2 : 1.5;
const EFFORT = { rounds: LONG ? 15 : 7, times: (name: string) => (name === 'login' ? 4 : 20) };
/** Rows that a statement may look at, however many there are: a page, what is passed over before it, what a search nearly found. */
const MOST_ROWS = 2_000;
/** The other tables have a handful of rows. */
const LARGE = ['users', 'sessions', 'api_keys', 'login_attempts', 'audit_events', 'agent_connections', 'chatops_servers'];

jest.setTimeout(LONG ? 1_200_000 : 300_000);

describe(`among ${MANY.toLocaleString('en')} users with as many keys and three times as many sessions`, () => {
  let postgres: ScalePostgres;
  let few: ScaleDatabase;
  let many: ScaleDatabase;

  beforeAll(async () => {
    postgres = await startPostgres();
    [few, many] = [await postgres.create('few'), await postgres.create('many')];
    const hash = await bcrypt.hash(PASSWORD, 10);
    for (const [{ url, pool }, users] of [[few, FEW], [many, MANY]] as const) {
      await (await startGatehouse({ env: { DATABASE_URL: url, ...WITH_OWNER } })).stop();
      await seed(pool, users, hash);
    }
  });
  afterAll(() => postgres.stop());

  it('the schema is the one that the migrations make', async () => {
    const fresh = await postgres.create('fresh');
    await (await startGatehouse({ env: { DATABASE_URL: fresh.url } })).stop();
    const indexes = 'SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1';
    expect((await many.pool.query(indexes)).rows).toEqual((await fresh.pool.query(indexes)).rows);
  });

  it(`a request costs at most ${String(MOST_CPU)} times what it costs among ${String(FEW)}`, async () => {
    // A statement's work is to be seen in the process that serves the request.
    for (const { name, pool } of [few, many]) await pool.query(`ALTER DATABASE ${name} SET max_parallel_workers_per_gather = 0`);
    const houses = [await House.open(few, 'mosbot', FEW, 400), await House.open(many, 'mosbot', MANY, 400)] as const;
    const costs = await compare(...houses, EVERYDAY, EFFORT);
    await Promise.all(houses.map(({ gatehouse }) => gatehouse.stop()));
    await many.pool.query('ALTER DATABASE many RESET ALL');
    process.stderr.write(`ms of CPU for a request: server, PostgreSQL; among few, among many; ratio\n${costs.map(tell).join('')}`);
    expect(costs.filter((cost) => total(cost.many) > MOST_CPU * total(cost.few)).map(({ name }) => name)).toEqual([]);
  });

  describe.each<[string, string, number, Record<string, Visit>]>([
    // As those are that no connection keeps.
    ['planned for their values', 'force_custom_plan', 60, { ...OCCASIONAL, ...NARROWED, ...OF_MOSBOT }],
    // As a connection does with those that it keeps, sooner or later.
    ['planned once for all values', 'force_generic_plan', 61, OCCASIONAL],
  ])('statements that are %s go by indexes alone', (_, planCacheMode, people, visits) => {
    let house: House;
    let log: PlanLog;
    beforeAll(async () => {
      await explainAll(many, planCacheMode);
      log = new PlanLog(postgres.log);
    });

    const visit = async (request: Request): Promise<{ status: number; faults: string[] }> => {
      log.take();
      const { status } = await request(house, house.next());
      return { status, faults: faultsOf(log.take()) };
    };

    describe('for the native API and MosBot', () => {
      beforeAll(async () => { house = await House.open(many, 'mosbot', MANY, people); });
      afterAll(() => house.gatehouse.stop());

      it('start', () => { expect(faultsOf(log.take())).toEqual([]); });
      it.each(Object.entries(EVERYDAY))('%s', async (_name, request) => { expect(await visit(request)).toEqual({ status: 200, faults: [] }); });
      it.each(Object.entries(visits))('%s', async (_name, { status, request }) => {
        expect(await visit(request)).toEqual({ status, faults: [] });
      });
    });

    describe('for ChatOps and its agents', () => {
      let agent: Agent;
      beforeAll(async () => {
        // The first so many have servers.
        house = await House.open(many, 'chatops', 30_000, 10);
        agent = await Agent.admitted(`${house.gatehouse.url}/api/v1/agents/ws`, house.next().key);
      });
      afterAll(() => house.gatehouse.stop());

      it.each(Object.entries(OF_CHATOPS))('%s', async (_name, { status, request }) => { expect(await visit(request)).toEqual({ status, faults: [] }); });

      it('what keeps connections up to date', async () => {
        const executed: Executed[] = [];
        await eventually(() => {
          executed.push(...log.take());
          for (const regular of ['UPDATE agent_connections SET seen_at', 'k.id = ANY($1::uuid[])', 'UPDATE api_keys SET last_used_at']) {
            expect(executed.map(({ text }) => text).join('\n')).toContain(regular);
          }
        });
        await agent.leave();
        expect(faultsOf(executed)).toEqual([]);
      });
    });
  });
});

/** What is wrong with statements that were executed: each that read a large table as a whole, or far too much of it. */
function faultsOf(executed: readonly Executed[]): string[] {
  return executed
    // Every connection writes the time there every few seconds, so an index on it would cost more than the odd reading.
    .filter(({ text }) => !text.startsWith('DELETE FROM agent_connections'))
    .flatMap(({ text, steps }) => {
      const scanned = steps.filter((step) => step['Node Type'].includes('Seq Scan') && LARGE.includes(step['Relation Name'] ?? ''));
      const most = Math.max(...steps.map(rowsRead));
      return scanned.length > 0 || most > MOST_ROWS ? [`${String(most)} rows, ${scanned.map((step) => step['Relation Name']).join()}: ${text}`] : [];
    });
}
