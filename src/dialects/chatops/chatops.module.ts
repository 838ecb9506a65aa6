import { Module } from '@nestjs/common';
import { AgentsModule } from '../../agents/index.js';
import { ApiKeysModule } from '../../api-keys/index.js';
import { AuthModule } from '../../auth/index.js';
import { UsersModule } from '../../users/index.js';
import { ChatOpsAgentsController } from './agents.controller.js';
import { ChatOpsApiKeysController } from './api-keys.controller.js';
import { ChatOpsAuthController } from './auth.controller.js';
import { ServerKeys } from './server-keys.js';
import { ServersModule } from './servers/index.js';

@Module({
  imports: [AgentsModule, ApiKeysModule, AuthModule, ServersModule, UsersModule],
  controllers: [ChatOpsAgentsController, ChatOpsApiKeysController, ChatOpsAuthController],
  providers: [ServerKeys],
})
export class ChatOpsModule {}
