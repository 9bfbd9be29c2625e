/** The status of a rollout as text. */
import type { FleetStatus, HostStatus, WaveStatus } from '../../engine/fleet/status.ts';
import { counted } from './fleet-plan.ts';
import { localTime } from './text.ts';

const SIGNS: Record<WaveStatus['state'], string> = {
  waiting: '·',
  running: '…',
  soaking: '…',
  succeeded: '✓',
  stopped: '■',
  undone: '↶',
};
/** In the order in which a line lists them. */
const STATES = ['joined', 'unchanged', 'joining', 'waiting', 'failed', 'skipped', 'undoing', 'undone'] as const;
/** Failed hosts with the same error; others are only counted. */
const HOSTS_MAX = 10;

export function statusText(status: FleetStatus): string {
  return [headline(status), ...status.waves.map((wave) => waveLine(wave, status)), ...failureLines(status)].join('\n');
}

/** A few lines that a terminal can draw again and again. */
export const progressLines = (status: FleetStatus): string[] => [
  headline(status),
  ...status.waves.map((wave) => waveLine(wave, status)),
];

function headline({ rollout, state, reason, budget, concurrency, joinsPerSecond }: FleetStatus): string {
  const details = [
    ...(concurrency === undefined || state !== 'running'
      ? []
      : [`${concurrency.joining} of at most ${concurrency.limit} joining`]),
    ...(concurrency?.reason === undefined || state !== 'running' ? [] : [concurrency.reason]),
    `${budget.failedHosts} failed, ${budget.allowedHosts} may fail`,
    ...(joinsPerSecond === undefined ? [] : [`${joinsPerSecond.toFixed(2)} joins/s`]),
  ];
  return `Rollout ${rollout} ${state}${reason === undefined ? '' : ` (${reason})`}: ${details.join(', ')}`;
}

function waveLine({ number, state, hosts, soaksUntil }: WaveStatus, status: FleetStatus): string {
  const names = new Set(hosts);
  const members = status.hosts.filter(({ name }) => names.has(name));
  const counts = STATES.flatMap((each) => {
    const count = members.filter((host) => host.state === each).length;
    return count === 0 ? [] : [`${count} ${each}`];
  });
  const soak = state === 'soaking' && soaksUntil !== undefined ? `, soaks until ${localTime(soaksUntil)}` : '';
  return `${SIGNS[state]} wave ${number}: ${counts.join(', ')}${soak}`;
}

function failureLines({ hosts }: FleetStatus): string[] {
  const groups = new Map<string, HostStatus[]>();
  for (const host of hosts)
    if (host.error !== undefined) groups.set(host.error.code, [...(groups.get(host.error.code) ?? []), host]);
  return [...groups].flatMap(([code, failed]) => {
    const names = failed
      .slice(0, HOSTS_MAX)
      .map(({ name, step }) => `${name}${step === undefined ? '' : ` at ${step}`}`);
    const more = failed.length > HOSTS_MAX ? ` and ${failed.length - HOSTS_MAX} more` : '';
    const { message = '', next } = failed[0]?.error ?? {};
    return [`${code}: ${names.join(', ')}${more}`, `  ${message}`, ...(next === undefined ? [] : [`  → ${next}`])];
  });
}

/** What `join fleet run` prints at the end. */
export function reportText(status: FleetStatus): string {
  const durations = status.hosts
    .filter(({ state }) => state === 'joined')
    .map(({ startedAt = '', endedAt = '' }) => (Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
    .sort((a, b) => a - b);
  const quantile = (part: number): string => (durations[Math.ceil(part * durations.length) - 1] ?? 0).toFixed(2);
  const took = ((Date.parse(status.endedAt ?? status.startedAt) - Date.parse(status.startedAt)) / 1000).toFixed(2);
  const times = durations.length === 0 ? '' : `, one join p50 ${quantile(0.5)} s, p99 ${quantile(0.99)} s`;
  return [statusText(status), `${counted(status.hosts.length, 'host')} in ${took} s${times}`].join('\n');
}
