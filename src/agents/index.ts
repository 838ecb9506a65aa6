export { AgentConnections, type ConnectedResource } from './agent-connections.js';
export { AgentGateway, type AgentWire } from './agent-gateway.js';
export { CONNECT_SCOPE } from './agent-rights.js';
export { AgentsModule } from './agents.module.js';
