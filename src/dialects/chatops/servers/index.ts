export { Server } from './server.entity.js';
export { ServersModule } from './servers.module.js';
export { bindingOf, ServersService } from './servers.service.js';
