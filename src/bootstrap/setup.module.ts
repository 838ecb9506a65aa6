import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/index.js';
import { OwnerRecovery } from './owner-recovery.js';
import { SetupClaim } from './setup-claim.entity.js';
import { SetupClaims } from './setup-claims.js';
import { SetupMilestone } from './setup-milestone.entity.js';
import { SetupService } from './setup.service.js';

/** The set-up and the recovery, without the bootstrap: nothing happens when it starts. */
@Module({
  imports: [UsersModule, TypeOrmModule.forFeature([SetupClaim, SetupMilestone])],
  providers: [OwnerRecovery, SetupClaims, SetupService],
  exports: [OwnerRecovery, SetupService],
})
export class SetupModule {}
