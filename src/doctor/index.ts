export { DoctorModule } from './doctor.module.js';
export { examineDatabase, examineSettings, type Examination } from './examine.js';
export { bySeverity, type Finding, type Severity } from './finding.js';
export { ForwardingSeen, watchForwarding } from './forwarding.js';
export { runningInstances } from './server-instances.js';
