import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';
import { ReadinessCheck } from './readiness.js';

/** Has every scrape ask whether the instance is ready. */
@Injectable()
export class ReadinessMetric {
  constructor(metrics: Metrics, readiness: ReadinessCheck) {
    metrics.gauge(
      { name: 'gatehouse_ready', help: 'Whether the instance can do its work, as /health/ready says: 1 or 0.' },
      async () => Number(Object.values(await readiness.check()).every((state) => state === 'up')),
      'min',
    );
  }
}
