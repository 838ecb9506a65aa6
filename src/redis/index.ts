export { RedisConnection } from './redis-connection.js';
export { RedisModule } from './redis.module.js';
export { RedisScript } from './redis-script.js';
