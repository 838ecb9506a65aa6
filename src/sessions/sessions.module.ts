import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Settings } from '../config/index.js';
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

@Module({ providers: [signingKeys], exports: [SigningKeys] })
class SigningKeysModule {}

@Module({
  imports: [
    TypeOrmModule.forFeature([Session]),
    SigningKeysModule,
    JwtModule.registerAsync({
      imports: [SigningKeysModule],
      inject: [SigningKeys, Settings],
      useFactory: jwtOptions,
    }),
  ],
  providers: [AccessTokensService, SessionsService, SessionRotation],
  exports: [AccessTokensService, SessionsService, SessionRotation, SigningKeysModule],
})
export class SessionsModule {}
