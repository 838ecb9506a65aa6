import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { Gathered, gatheredRows } from '../src/principals/gathered.js';

/** Numbers of one turn, doubled together. */
function doubling(): { gathered: Gathered<number, number>; rounds: number[][] } {
  const rounds: number[][] = [];
  const gathered = new Gathered<number, number>(async (questions) => {
    rounds.push([...questions]);
    await turnOfTheLoop();
    return questions.map((question) => question * 2);
  });
  return { gathered, rounds };
}

describe('questions that are asked together', () => {
  it('are answered together, each with its own answer', async () => {
    const { gathered, rounds } = doubling();
    expect(await Promise.all([1, 2, 2, 3].map((question) => gathered.ask(question)))).toEqual([2, 4, 4, 6]);
    expect(rounds).toEqual([[1, 2, 2, 3]]);
  });

  it('wait for nobody who asked before', async () => {
    const rounds: number[] = [];
    const gathered = new Gathered<number, string>((questions) => {
      rounds.push(questions.length);
      return questions.includes(1) ? new Promise(() => undefined) : Promise.resolve(questions.map(() => 'answered'));
    });
    void gathered.ask(1);
    await turnOfTheLoop();
    expect(await gathered.ask(2)).toBe('answered');
    expect(rounds).toEqual([1, 1]);
  });

  it('are never more than five hundred', async () => {
    const { gathered, rounds } = doubling();
    const numbers = Array.from({ length: 1_200 }, (_, at) => at);
    expect(await Promise.all(numbers.map((question) => gathered.ask(question)))).toEqual(numbers.map((question) => question * 2));
    expect(rounds.map(({ length }) => length)).toEqual([500, 500, 200]);
    expect(await gathered.ask(7)).toBe(14);
  });

  it('share a failure, and nothing of it with those who ask later', async () => {
    let fails = true;
    const gathered = new Gathered<number, number>(async (questions) => {
      if (fails) throw new Error('away');
      return Promise.resolve(questions);
    });
    const results = await Promise.allSettled([gathered.ask(1), gathered.ask(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await gathered.ask(3)).toBe(3);
  });

  it('find the rows of their keys, in whatever order these come', async () => {
    const rows = gatheredRows((keys) => Promise.resolve([...keys].reverse().filter((key) => key !== 'b').map((key) => ({ key }))));
    expect(await Promise.all(['a', 'b', 'c'].map((key) => rows.ask(key)))).toEqual([{ key: 'a' }, null, { key: 'c' }]);
  });
});
