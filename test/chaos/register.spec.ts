import { setTimeout as delay } from 'node:timers/promises';
import { emptyHistory, type History } from './history.js';
import { Register } from './register.js';

let history: History;
let register: Register;
beforeEach(() => {
  history = emptyHistory();
  register = new Register(history, 'name');
});

const lost = (found: string | null): string[] => {
  register.settle(found);
  return history.writes.filter((write) => write.found === false).map(({ id }) => id);
};

it('keeps what was acknowledged last', async () => {
  register.begin('first')(performance.now());
  await delay(2);
  register.begin('second')(performance.now());
  expect(lost('second')).toEqual([]);
});

it('loses what an older value stands for in the end', async () => {
  register.begin('first')(performance.now());
  await delay(2);
  register.begin('second')(performance.now());
  expect(lost('first')).toEqual(['second']);
});

it('loses everything when there is no value', () => {
  register.begin('first')(performance.now());
  expect(lost(null)).toEqual(['first']);
});

it('leaves it open which of two that crossed came last', async () => {
  const first = register.begin('first');
  const second = register.begin('second');
  first(performance.now());
  await delay(2);
  second(performance.now());
  expect(lost('first')).toEqual([]);
});

it('allows for a change that nobody answered to have come last', async () => {
  register.begin('unanswered');
  await delay(2);
  register.begin('second')(performance.now());
  expect(lost('unanswered')).toEqual([]);
});
