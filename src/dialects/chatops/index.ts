export { chatops } from './chatops.dialect.js';
