import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { ThrottlerModule } from '@nestjs/throttler';
import { ApiKeysModule } from '../api-keys/index.js';
import { RequestValidation } from '../http/index.js';
import { RedisConnection } from '../redis/index.js';
import { SessionsModule } from '../sessions/index.js';
import { UsersModule } from '../users/index.js';
import { AccessGuard } from './access.guard.js';
import { AccountController } from './account.controller.js';
import { ApiKeyStrategy } from './api-key.strategy.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { CredentialReaders } from './credential.js';
import { CurrentAccount } from './current-account.js';
import { DeviceCookie } from './device-cookie.js';
import { JwtStrategy } from './jwt.strategy.js';
import { LocalRateLimit } from './local-rate-limit.js';
import { LocalStrategy } from './local.strategy.js';
import { NoAuthentication } from './no-authentication.js';
import { SharedRateLimit } from './shared-rate-limit.js';

@Module({
  imports: [
    ApiKeysModule,
    PassportModule,
    SessionsModule,
    UsersModule,
    // Of the library the shape of a storage, and its token: both storages are ours, and when to count is for `AddressRateLimit`.
    ThrottlerModule.forRootAsync({
      inject: [RedisConnection],
      useFactory: (redis: RedisConnection | null) => ({
        throttlers: [],
        storage: redis === null ? new LocalRateLimit() : new SharedRateLimit(redis),
      }),
    }),
  ],
  controllers: [AuthController, AccountController],
  providers: [
    ApiKeyStrategy,
    AuthService,
    CredentialReaders,
    CurrentAccount,
    DeviceCookie,
    JwtStrategy,
    LocalStrategy,
    NoAuthentication,
    RequestValidation,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [AuthService, CredentialReaders, DeviceCookie, ThrottlerModule],
})
export class AuthModule {}
