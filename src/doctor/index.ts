export { DoctorModule } from './doctor.module.js';
export { ForwardingSeen, watchForwarding } from './forwarding.js';
export { SecretAge } from './secret-age.entity.js';
export { ServerInstance } from './server-instance.entity.js';
