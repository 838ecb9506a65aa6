import cluster from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';

/** Longer than prom-client gives the workers. */
const LONGEST_WAIT_MS = 6_000;

/** From a worker to the primary, and back. */
interface Scrape {
  readonly gatehouseScrape: number;
  /** The answer; `null` where the workers could not be asked. */
  readonly text?: string | null;
}

let asked = 0;
let isJoined = false;

/** In the process that started the workers: has it sum their metrics whenever one of them is scraped. */
export function sumWorkers(): void {
  const workers = new AggregatorRegistry();
  cluster.on('message', (worker, message: unknown) => {
    if (!isScrape(message)) return;
    const answer = (text: string | null): void => { if (worker.isConnected()) worker.send({ ...message, text }, () => undefined); };
    workers.clusterMetrics().then(answer, () => { answer(null); });
  });
}

/** In a worker: has a scrape of any one tell of all of them. From then on it answers, if with nothing before it has started. */
export function joinWorkers(): void {
  isJoined = true;
  AggregatorRegistry.setRegistries([]);
  new AggregatorRegistry();
}

/** The metrics of this process, or of all that share its port; of this one alone while the others do not answer. */
export async function scrape(registry: Registry): Promise<string> {
  if (!isJoined) return registry.metrics();
  return (await askPrimary()) ?? registry.metrics();
}

/** What this process answers with when the primary asks. */
export function answerWith(registry: Registry): void {
  if (isJoined) AggregatorRegistry.setRegistries([registry]);
}

function askPrimary(): Promise<string | null> {
  asked += 1;
  const question: Scrape = { gatehouseScrape: asked };
  return new Promise((resolve) => {
    const done = (text: string | null): void => {
      clearTimeout(timer);
      process.off('message', hear);
      resolve(text);
    };
    const hear = (message: unknown): void => {
      if (isScrape(message) && message.gatehouseScrape === question.gatehouseScrape) done(message.text ?? null);
    };
    const timer = setTimeout(() => { done(null); }, LONGEST_WAIT_MS);
    process.on('message', hear);
    process.send?.(question, undefined, undefined, (error) => { if (error !== null) done(null); });
  });
}

function isScrape(message: unknown): message is Scrape {
  return typeof message === 'object' && message !== null && 'gatehouseScrape' in message;
}
