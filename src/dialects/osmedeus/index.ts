export { osmedeus } from './osmedeus.dialect.js';
