import { Injectable } from '@nestjs/common';
import { type Aggregator, collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import { VERSION } from '../config/index.js';
import { answerWith, scrape } from './worker-metrics.js';

/** What a metric is called, and the sentence that goes with it. Names and units as Prometheus has them. */
export interface Description {
  readonly name: `gatehouse_${string}`;
  readonly help: string;
}

/** One number of a metric that is made when it is asked for. */
export interface Sample {
  readonly labels: Record<string, string | number>;
  readonly value: number;
  /** For the parts of a histogram. */
  readonly metricName?: string;
}

/**
 * The numbers of one application, for Prometheus. Whoever does something worth counting describes the metric here, once,
 * and then counts. A label never holds what a caller chose: its values are known when the program is written.
 */
@Injectable()
export class Metrics {
  /** Of its own: several applications may live in one process. */
  readonly registry = new Registry();

  constructor() {
    answerWith(this.registry);
    collectDefaultMetrics({ register: this.registry });
    const build: Description = { name: 'gatehouse_build_info', help: 'Always 1; the label says which version runs.' };
    new Gauge({ ...build, labelNames: ['version'], registers: [this.registry], aggregator: 'first' }).set({ version: VERSION }, 1);
  }

  /** All of them, in the text format; of all processes that share the port, summed. */
  scrape(): Promise<string> {
    return scrape(this.registry);
  }

  /**
   * A counter with one label, for the way of every request: counting is to add 1 to a field, and nothing is looked up
   * before somebody reads. Every value is there from the start, at 0.
   */
  tally<Value extends string>(description: Description, label: string, values: readonly Value[], more: Record<string, string> = {}): Record<Value, number> {
    const counts = Object.fromEntries(values.map((value) => [value, 0])) as Record<Value, number>;
    this.computed(description, 'counter', () => values.map((value) => ({ labels: { ...more, [label]: value }, value: counts[value] })));
    return counts;
  }

  /** A counter without labels. */
  counter(description: Description): Counter {
    return new Counter({ ...description, registers: [this.registry] });
  }

  /**
   * A number that goes up and down, read when somebody asks.
   * @param aggregator what several processes of one instance come to together
   */
  gauge(description: Description, read: () => number | Promise<number>, aggregator: Aggregator = 'sum'): void {
    new Gauge({
      ...description,
      aggregator,
      registers: [this.registry],
      async collect() {
        this.set(await read());
      },
    });
  }

  /** Durations in seconds, of something that does not happen with every request. */
  histogram(description: Description, buckets: readonly number[]): Histogram {
    return new Histogram({ ...description, buckets: [...buckets], registers: [this.registry] });
  }

  /** A metric whose samples are made when somebody asks. */
  computed(description: Description, type: 'counter' | 'histogram', samples: () => readonly Sample[]): void {
    const about = { ...description, type, aggregator: 'sum' };
    // All that a registry asks of a metric; the declarations know only prom-client's own classes.
    const metric = { ...about, get: () => Promise.resolve({ ...about, values: samples() }) };
    this.registry.registerMetric(metric as unknown as Metric);
  }
}
