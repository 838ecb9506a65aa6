import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/index.js';
import { UsersModule } from '../../users/index.js';
import { MosbotAuthController } from './mosbot-auth.controller.js';
import { MosbotAdminController, MosbotConfigController, MosbotUsersController } from './mosbot-users.controller.js';

@Module({
  imports: [AuthModule, UsersModule],
  controllers: [MosbotAuthController, MosbotConfigController, MosbotUsersController, MosbotAdminController],
})
export class MosbotModule {}
