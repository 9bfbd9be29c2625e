/** The waves of a fleet, as text and as a document (schemas/fleet-plan.schema.json). */

import { durationText } from '../../engine/documents/durations.ts';
import { allowedFailures } from '../../engine/fleet/budget.ts';
import type { Fleet, Host } from '../../engine/fleet/fleet.ts';
import { wavesOf } from '../../engine/fleet/waves.ts';

export function fleetPlanDocument(fleet: Fleet): object {
  const { rollout } = fleet;
  return {
    apiVersion: 'joinery.dev/v1',
    kind: 'FleetPlan',
    fleet: fleet.name,
    maxParallel: rollout.maxParallel,
    allowedFailures: allowedFailures(rollout.failureBudget, fleet.hosts.length),
    onBudgetExceeded: rollout.onBudgetExceeded,
    soakSeconds: rollout.soakMs / 1000,
    waves: wavesOf(fleet.hosts, rollout.waves).map((hosts, index) => ({
      number: index + 1,
      hosts: hosts.map(({ name, address, role, transport }) => ({
        name,
        address,
        role,
        transport: transport.kind,
        pipeline: fleet.pipelines[role],
      })),
    })),
  };
}

const WHEN_EXCEEDED = {
  pause: 'the rollout pauses',
  stop: 'the rollout ends',
  undo: 'the rollout rolls back the wave, and ends',
} as const;

export function fleetPlanText(fleet: Fleet): string {
  const { rollout, hosts, name } = fleet;
  const waves = wavesOf(hosts, rollout.waves);
  const allowed = allowedFailures(rollout.failureBudget, hosts.length);
  const soak =
    rollout.soakMs > 0 ? [`After each wave but the last, the rollout soaks for ${durationText(rollout.soakMs)}.`] : [];
  const condition =
    rollout.proceedIf === undefined
      ? []
      : [`The next wave starts if ${rollout.proceedIf}; otherwise the rollout pauses.`];
  return [
    `Fleet ${name}: ${counted(hosts.length, 'host')} in ${counted(waves.length, 'wave')}, ` +
      `at most ${rollout.maxParallel} at the same time`,
    ...waves.flatMap((wave, index) => [`Wave ${index + 1}: ${counted(wave.length, 'host')}`, ...wave.map(hostLine)]),
    `If more than ${counted(allowed, 'host')} fail${allowed === 1 ? 's' : ''}, ` +
      `${WHEN_EXCEEDED[rollout.onBudgetExceeded]}.`,
    ...soak,
    ...condition,
  ].join('\n');
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function hostLine({ name, address, role }: Host): string {
  const about = [...(address === name ? [] : [address]), ...(role === 'control-plane' ? ['control plane'] : [])];
  return `  ${name}${about.length === 0 ? '' : ` (${about.join(', ')})`}`;
}
