import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_PIPE, RouterModule } from '@nestjs/core';
import { AgentsModule } from './agents/index.js';
import { ApiKeysModule } from './api-keys/index.js';
import { AuditModule } from './audit/index.js';
import { AuthModule } from './auth/index.js';
import { BootstrapModule, ClaimToken } from './bootstrap/index.js';
import { ConfigModule, NativeApi, type Settings } from './config/index.js';
import { DatabaseModule, type DatabaseTarget, type RequestLimits } from './database/index.js';
import { DialectsModule, MountedDialects } from './dialects/index.js';
import { DoctorModule } from './doctor/index.js';
import { HealthModule, PublicConfigModule } from './health/index.js';
import { HousekeepingModule } from './housekeeping/index.js';
import { RequestValidation } from './http/index.js';
import { MetricsModule } from './metrics/index.js';
import { PrincipalsModule } from './principals/index.js';
import { RedisModule } from './redis/index.js';
import { SessionsModule } from './sessions/index.js';
import { UsersModule } from './users/index.js';
import { WebhooksModule } from './webhooks/index.js';

/** What an instance is made of. */
export interface AppOptions {
  /** With `jwtSecret` given or generated. */
  settings: Settings;
  database: DatabaseTarget;
  limits: RequestLimits;
  /** The token of the set-up claim that is opened where there is no owner; made up when it is not given. */
  claimToken?: string;
  /** The product's own modules; their routes are guarded like Gatehouse's. */
  imports?: NonNullable<ModuleMetadata['imports']>;
}

/** Modules whose routes stand below the native API's prefix. */
const NATIVE_MODULES = [AgentsModule, ApiKeysModule, AuditModule, AuthModule, DoctorModule, PublicConfigModule, UsersModule];

/** The composition of the whole. */
@Module({})
export class AppModule {
  static forRoot({ settings, database, limits, claimToken, imports = [] }: AppOptions): DynamicModule {
    const dialects = new MountedDialects(settings);
    const nativeApi = new NativeApi(dialects.nativePath);
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings, nativeApi),
        MetricsModule,
        DatabaseModule.forRoot(database, settings.databasePoolSize, limits),
        HousekeepingModule,
        RedisModule,
        PrincipalsModule,
        SessionsModule,
        BootstrapModule.forRoot(new ClaimToken(claimToken)),
        HealthModule.forRoot(settings),
        WebhooksModule,
        DialectsModule.forRoot(dialects),
        ...NATIVE_MODULES,
        RouterModule.register(NATIVE_MODULES.map((module) => ({ path: nativeApi.path, module }))),
        ...imports,
      ],
      providers: [{ provide: APP_PIPE, useClass: RequestValidation }],
    };
  }
}
