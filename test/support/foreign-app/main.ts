/** A product's own server, made of Gatehouse and a module that knows nothing of it but the decorators. */
import { run } from 'gatehouse';
import { ServersModule } from './servers.module.js';

await run({ env: process.env, argv: process.argv.slice(2), imports: [ServersModule] });
