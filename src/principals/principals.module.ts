import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { Metrics } from '../metrics/index.js';
import { RedisConnection } from '../redis/index.js';
import { MemoryCache } from './memory-cache.js';
import { MemoryLease } from './memory-lease.js';
import { NoCache } from './no-cache.js';
import { PrincipalCache } from './principal-cache.js';
import { RedisCache } from './redis-cache.js';

/** Global: whoever ends a credential, in any module, must be able to have it forgotten. */
@Global()
@Module({
  providers: [
    MemoryLease,
    {
      provide: PrincipalCache,
      inject: [Settings, RedisConnection, Metrics],
      useFactory: ({ principalCache }: Settings, redis: RedisConnection | null, metrics: Metrics) =>
        principalCache === 'memory' ? new MemoryCache(metrics)
        : principalCache === 'redis' && redis !== null ? new RedisCache(redis, metrics)
        : new NoCache(),
    },
  ],
  exports: [PrincipalCache],
})
export class PrincipalsModule {}
