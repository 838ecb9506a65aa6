// A product's own server, as the README shows it, with the lightest routes there are: what a request costs here is what
// Gatehouse adds. Decorators are called as functions, for plain JavaScript has no others.
import { Controller, Get, Module } from '@nestjs/common';
import { CurrentPrincipal, Public, RequireScopes, run } from '../dist/index.js';

class BenchController {
  open() {
    return { ok: true };
  }

  guarded(principal) {
    return { ok: principal.userId !== null };
  }
}

function route(method, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(BenchController.prototype, method);
  for (const decorate of decorators) decorate(BenchController.prototype, method, descriptor);
}

route('open', Get('open'), Public());
route('guarded', Get('guarded'), RequireScopes('bench:read'));
CurrentPrincipal()(BenchController.prototype, 'guarded', 0);
Controller('bench')(BenchController);

class BenchModule {}
Module({ controllers: [BenchController] })(BenchModule);

await run({ env: process.env, argv: process.argv.slice(2), imports: [BenchModule] });
