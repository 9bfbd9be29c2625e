/** The states of hosts, waves, steps and rollouts as people read them. A sign says the same as a colour. */
import type { FleetStatus, HostState, HostStatus } from '../../../engine/fleet/status.ts';
import type { StepView } from '../view.ts';

/** In the order of the legend: what needs attention comes first. */
export const HOST_STATES = [
  'failed',
  'joining',
  'undoing',
  'waiting',
  'joined',
  'unchanged',
  'skipped',
  'undone',
] as const;

export const HOST_SIGN: Record<HostState, string> = {
  failed: '✗',
  joining: '›',
  undoing: '‹',
  waiting: '·',
  joined: '✓',
  unchanged: '=',
  skipped: '–',
  undone: '↶',
};

export const STEP_SIGN: Record<StepView['state'], string> = {
  waiting: '·',
  running: '›',
  asking: '?',
  undoing: '‹',
  succeeded: '✓',
  failed: '✗',
  'failed-allowed': '!',
  cancelled: '■',
  skipped: '–',
  undecided: '?',
  undone: '↶',
  'undo-failed': '✗',
};

export type HostCounts = Partial<Record<HostState, number>>;

export function countStates(hosts: Iterable<HostStatus>): HostCounts {
  const counts: HostCounts = {};
  for (const { state } of hosts) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** For screen readers and tooltips. */
export function hostText({ name, state, step, pipelineStep, approval, error, attempts }: HostStatus): string {
  const where = state === 'joining' || state === 'failed' ? (pipelineStep ?? step) : undefined;
  const parts = [
    where === undefined ? state : `${state} at ${where}`,
    approval === undefined ? '' : 'waits for your approval',
    error?.code ?? '',
    attempts > 1 ? `${attempts} attempts` : '',
  ];
  return `${name}: ${parts.filter((part) => part !== '').join(', ')}`;
}

/** Hosts that only a person can help. */
export const needsHelp = ({ state, approval }: HostStatus): boolean => state === 'failed' || approval !== undefined;

/** Hosts by wave, in the order of the waves; those that no wave has come last, as wave 0. */
export function hostsByWave({ waves, hosts }: FleetStatus): { number: number; hosts: HostStatus[] }[] {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const inWaves = waves.map(({ number, hosts: names }) => ({
    number,
    hosts: names.flatMap((name) => byName.get(name) ?? []),
  }));
  for (const { hosts: found } of inWaves) for (const { name } of found) byName.delete(name);
  return byName.size === 0 ? inWaves : [...inWaves, { number: 0, hosts: [...byName.values()] }];
}

/** In the time zone of the browser: `10:59:47`. */
export const clockText = (at: string | number): string => new Date(at).toLocaleTimeString('sv');

/** `850 ms`, `12 s`, `4 min 5 s`, `2 h 10 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${seconds} s`;
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600)];
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min ${seconds % 60} s`;
}
