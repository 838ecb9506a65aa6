export { Draining } from './draining.js';
export { HealthModule, PublicConfigModule } from './health.module.js';
export { liveness, UNREADY } from './liveness.js';
