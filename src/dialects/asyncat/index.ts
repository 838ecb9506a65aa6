export { asyncat } from './asyncat.dialect.js';
