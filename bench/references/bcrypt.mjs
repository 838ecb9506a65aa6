// What the machine's bcrypt can do: compares a second, as many at a time as there are cores for them, and nothing else.
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';

const [, , hash, password, milliseconds] = process.argv;
const AT_ONCE = Math.min(availableParallelism(), 3);

await bcrypt.compare(password, hash);
let compared = 0;
const begin = performance.now();
const end = begin + Number(milliseconds);
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (performance.now() < end) {
      await bcrypt.compare(password, hash);
      compared += 1;
    }
  }),
);
const perSecond = (compared * 1000) / (performance.now() - begin);
process.stdout.write(`${JSON.stringify({ perSecond, steadyPerSecond: perSecond })}\n`);
