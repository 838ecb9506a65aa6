import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../api-keys/index.js';
import { AuthModule } from '../auth/index.js';
import { AgentConnection } from './agent-connection.entity.js';
import { AgentConnections } from './agent-connections.js';
import { AgentGateway } from './agent-gateway.js';
import { AgentsController } from './agents.controller.js';
import { UpgradeRequests } from './upgrade-requests.js';

@Module({
  imports: [TypeOrmModule.forFeature([AgentConnection]), ApiKeysModule, AuthModule],
  controllers: [AgentsController],
  providers: [AgentConnections, AgentGateway, UpgradeRequests],
  exports: [AgentConnections, AgentGateway],
})
export class AgentsModule {}
