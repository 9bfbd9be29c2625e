/** The waves of a fleet, as text and as a document (schemas/fleet-plan.schema.json). */

import { durationText } from '../../engine/documents/durations.ts';
import { allowedFailures } from '../../engine/fleet/budget.ts';
import type { Fleet, Host } from '../../engine/fleet/fleet.ts';
import { wavesOf } from '../../engine/fleet/waves.ts';

/** What the dry run of one machine has found. */
export interface HostPlan {
  /** Such as `Plan: 9 files, 1 service`. */
  summary: string;
  error?: { code: string; message: string; next?: string };
}

export function fleetPlanDocument(fleet: Fleet, plans: ReadonlyMap<string, HostPlan>): object {
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
        ...plans.get(name),
      })),
    })),
  };
}

const WHEN_EXCEEDED = {
  pause: 'the rollout pauses',
  stop: 'the rollout ends',
  undo: 'the rollout rolls back the wave, and ends',
} as const;

export function fleetPlanText(fleet: Fleet, plans: ReadonlyMap<string, HostPlan>): string {
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
    `Fleet ${name}: ${counted(hosts.length, 'host')} in ${counted(waves.length, 'wave')}, at most ${rollout.maxParallel} at the same time`,
    ...waves.flatMap((wave, index) => [
      `Wave ${index + 1}: ${counted(wave.length, 'host')}`,
      ...wave.flatMap((host) => hostLines(host, plans.get(host.name))),
    ]),
    `If more than ${counted(allowed, 'host')} fail${allowed === 1 ? 's' : ''}, ${WHEN_EXCEEDED[rollout.onBudgetExceeded]}.`,
    ...soak,
    ...condition,
  ].join('\n');
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function hostLines({ name, address, role }: Host, plan: HostPlan | undefined): string[] {
  const about = [...(address === name ? [] : [address]), ...(role === 'control-plane' ? ['control plane'] : [])];
  const line = `  ${name}${about.length === 0 ? '' : ` (${about.join(', ')})`}${plan === undefined ? '' : `: ${plan.summary}`}`;
  return plan?.error?.next === undefined ? [line] : [line, `    → ${plan.error.next}`];
}
