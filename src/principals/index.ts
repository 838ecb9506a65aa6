export { Gathered, gatheredRows } from './gathered.js';
export { type Checked, PrincipalCache } from './principal-cache.js';
export { remember } from './remember.js';
export { suspendingMemories } from './suspending-memories.js';
export { PrincipalsModule } from './principals.module.js';
