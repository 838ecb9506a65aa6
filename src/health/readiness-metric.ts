import { Inject, Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';
import { RedisConnection } from '../redis/index.js';
import { isReady, ReadinessCheck } from './readiness.js';

/** Has every scrape ask whether the instance is ready, and whether it has to do without Redis. */
@Injectable()
export class ReadinessMetric {
  constructor(metrics: Metrics, readiness: ReadinessCheck, @Inject(RedisConnection) redis: RedisConnection | null) {
    metrics.gauge(
      { name: 'gatehouse_ready', help: 'Whether the instance can do its work, as /health/ready says: 1 or 0.' },
      async () => Number(isReady(await readiness.check())),
      'min',
    );
    metrics.gauge(
      { name: 'gatehouse_redis_away', help: 'Whether REDIS_URL is set and Redis is not in use: 1 or 0.' },
      () => Number(redis?.isUp === false),
      'max',
    );
  }
}
