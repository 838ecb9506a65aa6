import { AuthError } from '../src/errors/auth-error.js';
import { Metrics } from '../src/metrics/index.js';
import { HashGate } from '../src/users/hash-gate.js';

/** Work that ends when it is told to. */
function work(): { run: () => Promise<string>; begun: () => boolean; end: () => void } {
  let end = (): void => undefined;
  let begun = false;
  const ended = new Promise<string>((resolve) => { end = () => { resolve('done'); }; });
  return { run: () => { begun = true; return ended; }, begun: () => begun, end: () => { end(); } };
}

it.each([[0.25, 1], [1, 1], [1.9, 1], [2, 2], [3, 3], [64, 3]])('with %s cores, %s hashes run at a time', async (cores, atOnce) => {
  const gate = new HashGate(cores, new Metrics());
  const works = Array.from({ length: 5 }, work);
  const results = works.map(({ run }) => gate.inTurn(null, run));
  expect(works.filter(({ begun }) => begun())).toHaveLength(atOnce);
  for (const { end } of works) end();
  expect(await Promise.all(results)).toEqual(works.map(() => 'done'));
});

it('once it is closed, what has begun ends, and everybody else is told to come again', async () => {
  const gate = new HashGate(1, new Metrics());
  const [first, second] = [work(), work()];
  const begun = gate.inTurn(null, first.run);
  const waiting = gate.inTurn('someone', second.run);
  gate.close();
  const refused = { code: 'overloaded', details: { retryAfterSeconds: 2 } };
  await expect(waiting).rejects.toMatchObject(refused);
  await expect(gate.inTurn(null, second.run)).rejects.toBeInstanceOf(AuthError);
  expect(second.begun()).toBe(false);
  first.end();
  expect(await begun).toBe('done');
});
