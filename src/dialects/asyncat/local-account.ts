import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Seeds } from '../../bootstrap/index.js';
import { Settings } from '../../config/index.js';

/** As the product's documentation says it. */
const DEFAULT_PASSWORD = 'changeme';

/** Has the local account seeded when the module starts. */
@Injectable()
export class AsyncatLocalAccount implements OnModuleInit {
  constructor(
    private readonly settings: Settings,
    private readonly seeds: Seeds,
  ) {}

  async onModuleInit(): Promise<void> {
    const { localEmail, localPassword = DEFAULT_PASSWORD } = this.settings;
    await this.seeds.owner({ email: localEmail, password: localPassword, isDefault: localPassword === DEFAULT_PASSWORD });
  }
}
