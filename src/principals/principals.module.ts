import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { RedisConnection } from '../redis/index.js';
import { MemoryCache } from './memory-cache.js';
import { NoCache } from './no-cache.js';
import { PrincipalCache } from './principal-cache.js';
import { RedisCache } from './redis-cache.js';

/** Global: whoever ends a credential, in any module, must be able to have it forgotten. */
@Global()
@Module({
  providers: [
    {
      provide: PrincipalCache,
      inject: [Settings, RedisConnection],
      useFactory: ({ principalCache }: Settings, redis: RedisConnection | null) =>
        principalCache === 'memory' ? new MemoryCache()
        : principalCache === 'redis' && redis !== null ? new RedisCache(redis)
        : new NoCache(),
    },
  ],
  exports: [PrincipalCache],
})
export class PrincipalsModule {}
