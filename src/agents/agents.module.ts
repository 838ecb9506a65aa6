import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../api-keys/index.js';
import { AuthModule } from '../auth/index.js';
import { Housekeeping } from '../housekeeping/index.js';
import { AgentConnection } from './agent-connection.entity.js';
import { AgentConnections } from './agent-connections.js';
import { AgentInstance } from './agent-instance.entity.js';
import { AgentGateway } from './agent-gateway.js';
import { AgentsController } from './agents.controller.js';
import { ConnectionRows } from './connection-rows.js';
import { KeyWatch } from './key-watch.js';
import { UpgradeRequests } from './upgrade-requests.js';

@Module({
  imports: [TypeOrmModule.forFeature([AgentConnection, AgentInstance]), ApiKeysModule, AuthModule],
  controllers: [AgentsController],
  providers: [AgentConnections, AgentGateway, ConnectionRows, KeyWatch, UpgradeRequests],
  exports: [AgentConnections, AgentGateway],
})
export class AgentsModule {
  constructor(housekeeping: Housekeeping) {
    // Of instances from before there were leases; the others go with their instance's. No more rows than connections.
    housekeeping.add({ table: 'agent_connections', key: 'id', since: 'seen_at', keptSeconds: 60 });
  }
}
