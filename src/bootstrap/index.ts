export { BootstrapModule } from './bootstrap.module.js';
export { BootstrapError } from './bootstrap-error.js';
export { FirstRun } from './first-run.js';
export { Seeds } from './seeds.js';
export { SetupClaim } from './setup-claim.entity.js';
export { SetupMilestone } from './setup-milestone.entity.js';
export { SetupService } from './setup.service.js';
export { StartNotices } from './start-notices.js';
