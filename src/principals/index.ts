export { type Checked, PrincipalCache } from './principal-cache.js';
export { PrincipalsModule } from './principals.module.js';
