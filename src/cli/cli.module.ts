import { randomBytes } from 'node:crypto';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/index.js';
import { AuditModule } from '../audit/index.js';
import { SetupModule } from '../bootstrap/index.js';
import { ConfigModule, NativeApi, type Settings } from '../config/index.js';
import { DatabaseModule, type DatabaseTarget, type RequestLimits } from '../database/index.js';
import { Housekeeping } from '../housekeeping/index.js';
import { MetricsModule } from '../metrics/index.js';
import { PrincipalsModule } from '../principals/index.js';
import { RedisModule } from '../redis/index.js';
import { SessionsModule } from '../sessions/index.js';
import { TransferModule } from '../transfer/index.js';
import { UsersModule } from '../users/index.js';

/** The statements of one command come one after the other, but for a lock here and there. */
const POOL_SIZE = 4;

/** Outdated rows are removed by servers: a command has something else to do, and may be allowed less. */
@Global()
@Module({
  providers: [{ provide: Housekeeping, useValue: { add: () => undefined } satisfies Pick<Housekeeping, 'add'> }],
  exports: [Housekeeping],
})
class NoHousekeepingModule {}

/** The core without its wires, and without what a start does: no migration, no bootstrap, no server. */
@Module({})
export class CliModule {
  static forRoot(settings: Settings, target: DatabaseTarget, limits: RequestLimits): DynamicModule {
    return {
      module: CliModule,
      imports: [
        ConfigModule.forRoot(settingsForCommands(settings), new NativeApi('/api/v1')),
        MetricsModule,
        DatabaseModule.forRoot(target, POOL_SIZE, limits),
        NoHousekeepingModule,
        RedisModule,
        PrincipalsModule,
        AuditModule,
        SessionsModule,
        UsersModule,
        ApiKeysModule,
        SetupModule,
        TransferModule,
      ],
    };
  }
}

/**
 * A command remembers no principals: it has the servers that do forget them, in their memories (`suspendingMemories`) and
 * in Redis, wherever there is one: what the command ends has to be forgotten there, whatever `PRINCIPAL_CACHE` is here. It
 * signs nothing either, so a secret that the server has yet to generate is not generated here.
 */
function settingsForCommands(settings: Settings): Settings {
  const prototype = Object.getPrototypeOf(settings) as object;
  return Object.assign(Object.create(prototype) as Settings, settings, {
    jwtSecret: settings.jwtSecret ?? randomBytes(48).toString('base64url'),
    principalCache: settings.redisUrl === undefined ? 'off' : 'redis',
  });
}
