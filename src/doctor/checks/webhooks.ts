import type { DataSource } from 'typeorm';
import { countDead } from '../../webhooks/index.js';
import { type Finding, findingIf } from '../finding.js';

/** Whether events were given up that a web hook should have been told. */
export async function checkWebhooks(dataSource: DataSource): Promise<Finding[]> {
  const { dead, last } = await countDead(dataSource);
  return findingIf(dead > 0, {
    id: 'webhooks-dead',
    severity: 'warning',
    title: `${String(dead)} events were not taken by a web hook and given up, the last at ${last?.toISOString() ?? ''}.`,
    meaning: 'Whoever relies on the web hook has not heard of them.',
    remedy: 'See which and why with gatehouse webhook list, mend it, and have them sent again with gatehouse webhook retry --all.',
  });
}
