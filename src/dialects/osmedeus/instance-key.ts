import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Seeds, StartNotices } from '../../bootstrap/index.js';
import { Settings } from '../../config/index.js';

/** Has the instance's API key imported or generated when the module starts. */
@Injectable()
export class OsmedeusInstanceKey implements OnModuleInit {
  constructor(
    private readonly settings: Settings,
    private readonly seeds: Seeds,
    private readonly notices: StartNotices,
  ) {}

  async onModuleInit(): Promise<void> {
    const { enabledAuthApi, authApiKey } = this.settings;
    if (!enabledAuthApi) return;
    const key = await this.seeds.instanceKey({
      wire: 'osmedeus',
      name: 'Osmedeus',
      given: authApiKey,
      variable: 'AUTH_API_KEY',
      characters: 32,
    });
    if (key.generated !== null) this.notices.add('The API key of this server, shown this once:', '', `  x-osm-api-key: ${key.generated}`, '', `It is kept in ${key.path ?? ''}.`);
    else if (key.path !== null) this.notices.add(`The API key for x-osm-api-key is kept in ${key.path}.`);
  }
}
