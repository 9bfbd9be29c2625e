/** The failures that a rollout accepts. */
import type { Rollout } from './fleet.ts';

/** How many hosts of `total` may fail. */
export const allowedFailures = (budget: Rollout['failureBudget'], total: number): number =>
  'hosts' in budget ? budget.hosts : Math.floor((budget.percent * total) / 100);
