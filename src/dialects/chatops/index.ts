export { chatops } from './chatops.dialect.js';
export { Server } from './servers/index.js';
