/** The result of `join fleet validate`, as text and as a document (schemas/fleet-validation.schema.json). */
import type { Fleet } from '../../engine/fleet/fleet.ts';
import { wavesOf } from '../../engine/fleet/waves.ts';
import type { Problem } from '../../engine/sdk/index.ts';
import { counted } from './fleet-plan.ts';

export function validText(file: string, { hosts, rollout }: Fleet): string {
  const waves = wavesOf(hosts, rollout.waves).length;
  return `${file}: ${counted(hosts.length, 'host')} in ${counted(waves, 'wave')}, no problems`;
}

export const validationDocument = (file: string, fleet: Fleet | undefined, problems: readonly Problem[]): object => ({
  apiVersion: 'joinery.dev/v1',
  kind: 'FleetValidation',
  file,
  valid: fleet !== undefined,
  hosts: fleet?.hosts.map(({ name }) => name) ?? [],
  waves: fleet === undefined ? [] : wavesOf(fleet.hosts, fleet.rollout.waves).map(({ length }) => length),
  problems,
});
