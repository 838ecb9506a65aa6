import { type RequestOptions, send } from './client.js';

/** One number of a scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

const LINE = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;
const NUMBER = /^(?:-?\d+(?:\.\d+)?(?:e[+-]\d+)?|[+-]Inf|NaN)$/i;
/** The parts of a histogram. */
const PART = /_(bucket|sum|count)$/;

/** What a server answered at /metrics, read as Prometheus reads it: text format 0.0.4. */
export class Scrape {
  /** The type of each metric that is described. */
  readonly types = new Map<string, string>();
  readonly samples: Sample[] = [];

  constructor(readonly text: string) {
    for (const line of text.split('\n')) {
      const [, name, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
      if (name !== undefined && type !== undefined) this.types.set(name, type);
      else if (line !== '' && !/^# HELP \S+ \S/.test(line)) this.samples.push(this.read(line));
    }
  }

  /** The sum of all samples of a name that have these labels. */
  value(name: string, labels: Record<string, string> = {}): number {
    const wanted = Object.entries(labels);
    return this.samples
      .filter((sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** What a label of a metric is at present, each value once. */
  valuesOf(name: string, label: string): string[] {
    return [...new Set(this.samples.filter((sample) => sample.name === name).map(({ labels }) => labels[label] ?? ''))].sort();
  }

  private read(line: string): Sample {
    const [, name = '', labels = '', value] = LINE.exec(line) ?? [];
    if (value === undefined || !NUMBER.test(value)) throw new Error(`not a sample: ${line}`);
    const described = this.types.has(name) || this.types.get(name.replace(PART, '')) === 'histogram';
    if (!described) throw new Error(`not described: ${line}`);
    const found = [...labels.matchAll(LABEL)];
    if (found.map(([text]) => text).join('') !== labels) throw new Error(`not labels: ${line}`);
    return { name, labels: Object.fromEntries(found.map(([, label = '', text = '']) => [label, text])), value: Number(value) };
  }
}

/** Asks a server for its metrics, and fails the test if it does not answer them. */
export async function scrape(url: string, options: RequestOptions = {}): Promise<Scrape> {
  const { status, body } = await send(`GET ${url}/metrics`, options);
  if (status !== 200) throw new Error(`/metrics answered ${String(status)}`);
  return new Scrape(body as string);
}
