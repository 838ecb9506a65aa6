/** A product's own server with a module that takes its person through the set-up, and says when that is done. */
import { Controller, HttpCode, Module, Post } from '@nestjs/common';
import { run, SetupService } from 'gatehouse';

@Controller('workspaces')
class WorkspacesController {
  constructor(private readonly setup: SetupService) {}

  /** Makes the first workspace, which is the last step of the set-up. */
  @Post()
  @HttpCode(204)
  async create(): Promise<void> {
    await this.setup.complete();
  }
}

@Module({ controllers: [WorkspacesController] })
class WorkspacesModule {}

await run({ env: process.env, argv: process.argv.slice(2), imports: [WorkspacesModule] });
