import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { RedisConnection } from './redis-connection.js';

/** The connection to Redis for every module; `null` without `REDIS_URL`. */
@Global()
@Module({
  providers: [
    {
      provide: RedisConnection,
      inject: [Settings],
      useFactory: ({ redisUrl }: Settings) => (redisUrl === undefined ? null : RedisConnection.open(redisUrl)),
    },
  ],
  exports: [RedisConnection],
})
export class RedisModule {}
