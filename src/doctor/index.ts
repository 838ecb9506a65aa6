export { DoctorModule } from './doctor.module.js';
export { examineDatabase, examineSettings, type Examination } from './examine.js';
export { bySeverity, type Finding, type Severity } from './finding.js';
export { ForwardingSeen, watchForwarding } from './forwarding.js';
export { SecretAge } from './secret-age.entity.js';
export { ServerInstance } from './server-instance.entity.js';
export { runningInstances } from './server-instances.js';
