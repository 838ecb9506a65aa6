export { HealthModule, PublicConfigModule } from './health.module.js';
