import type { EntityManager } from 'typeorm';
import { SetupMilestone } from './setup-milestone.entity.js';

/** The steps of the set-up, all in one place so that no two share a name. */
export const MILESTONES = {
  setupComplete: 'setup-complete',
  /** The instance has its own key for a wire. */
  instanceKey: (wire: string): string => `instance-key:${wire}`,
} as const;

/** Notes that a step is done; again makes no difference. */
export async function reach(manager: EntityManager, name: string): Promise<void> {
  await manager.query('INSERT INTO setup_milestones (name) VALUES ($1) ON CONFLICT (name) DO NOTHING', [name]);
}

/** Whether a step is done. */
export function isReached(manager: EntityManager, name: string): Promise<boolean> {
  return manager.existsBy(SetupMilestone, { name });
}
