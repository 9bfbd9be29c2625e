/** What other commands ask of an operator: its status, and actions. */
import type { FleetAction } from '../../engine/fleet/board.ts';
import { failedRun } from '../../engine/fleet/failed-runs.ts';
import { operatorAct, operatorLink, operatorStatus } from '../../engine/fleet/operator-socket.ts';
import type { FleetStatus } from '../../engine/fleet/status.ts';
import { readStatus } from '../../engine/fleet/status-file.ts';
import { fail } from '../../engine/sdk/index.ts';
import type { Assets } from '../assets.ts';
import { rolloutReport } from './reports.ts';
import { folderOf } from './state.ts';

/** From the operator, or else as the last operator has left it. E_FLEET_UNKNOWN. */
export async function statusOf(fleet: string): Promise<FleetStatus> {
  const status = (await operatorStatus(folderOf(fleet))) ?? readStatus(folderOf(fleet));
  if (status === undefined) throw fail('E_FLEET_UNKNOWN', { name: fleet, known: [] });
  return status;
}

/** E_FLEET_OPERATOR, E_FLEET_ACTION. */
export async function actOn(fleet: string, action: FleetAction): Promise<void> {
  if ((await operatorAct(folderOf(fleet), action)) === undefined) throw fail('E_FLEET_OPERATOR', { fleet });
}

export const hasOperator = async (fleet: string): Promise<boolean> =>
  (await operatorStatus(folderOf(fleet))) !== undefined;

/** A link to the dashboard. E_FLEET_OPERATOR, E_FLEET_PORT. */
export async function linkOf(fleet: string): Promise<string> {
  const link = await operatorLink(folderOf(fleet));
  if (link === undefined) throw fail('E_FLEET_OPERATOR', { fleet });
  return link;
}

/** The newest rollout as an HTML page. E_FLEET_UNKNOWN. */
export async function pageOf(fleet: string, assets: Assets): Promise<string> {
  const status = await statusOf(fleet);
  return rolloutReport(status, (host) => failedRun(folderOf(fleet), host), assets);
}
