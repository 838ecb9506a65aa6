import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Settings } from '../config/index.js';
import { Housekeeping } from '../housekeeping/index.js';
import { AccessTokensService } from './access-tokens.service.js';
import { jwtOptions } from './jwt-options.js';
import { SessionRotation } from './session-rotation.js';
import { Session } from './session.entity.js';
import { SessionsService } from './sessions.service.js';
import { SigningKeys } from './signing-keys.js';

const signingKeys = {
  provide: SigningKeys,
  inject: [Settings],
  useFactory: (settings: Settings) => {
    if (settings.jwtSecret === undefined) throw new Error('JWT_SECRET was neither given nor generated');
    return new SigningKeys(settings.jwtSecret, settings.jwtSecretPrevious);
  },
};

/**
 * How long a session that has expired is kept: at least until its last access token has expired too, so that whoever
 * comes with one is told why it is refused. Without its row every token of it is refused all the same.
 */
const KEPT_SECONDS = 7 * 24 * 60 * 60;

@Module({ providers: [signingKeys], exports: [SigningKeys] })
class SigningKeysModule {}

@Module({
  imports: [
    TypeOrmModule.forFeature([Session]),
    SigningKeysModule,
    JwtModule.registerAsync({
      imports: [SigningKeysModule],
      inject: [SigningKeys],
      useFactory: jwtOptions,
    }),
  ],
  providers: [AccessTokensService, SessionsService, SessionRotation],
  exports: [AccessTokensService, SessionsService, SessionRotation, SigningKeysModule],
})
export class SessionsModule {
  constructor(housekeeping: Housekeeping, { accessTokenTtl }: Settings) {
    // A revoked one goes when it would have expired.
    housekeeping.add({ table: 'sessions', key: 'id', since: 'expires_at', keptSeconds: Math.max(KEPT_SECONDS, accessTokenTtl) });
  }
}
