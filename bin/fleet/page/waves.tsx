/** The waves of a rollout, each with its state, its share of joined hosts, and its hosts. */
import type { HostState, HostStatus, WaveStatus } from '../../../engine/fleet/status.ts';
import { Elapsed } from './clock.tsx';
import { HostGrid } from './hosts.tsx';
import { clockText, countStates, HOST_STATES, type HostCounts } from './states.ts';

export function StateBar({ counts, total }: { counts: HostCounts; total: number }) {
  let from = 0;
  const order: HostState[] = ['joined', 'unchanged', 'joining', 'failed', 'skipped', 'undoing', 'undone', 'waiting'];
  return (
    <svg class="bar" viewBox={`0 0 ${Math.max(1, total)} 1`} preserveAspectRatio="none" aria-hidden="true">
      {order.map((state) => {
        const count = counts[state] ?? 0;
        from += count;
        return count > 0 && <rect key={state} class={state} x={from - count} y="0" width={count} height="1" />;
      })}
    </svg>
  );
}

/** `95 joined, 3 joining, 2 failed`. */
export const countsText = (counts: HostCounts): string =>
  HOST_STATES.flatMap((state) => ((counts[state] ?? 0) > 0 ? [`${counts[state]} ${state}`] : [])).join(', ');

interface WaveProps {
  /** Undefined for the hosts that no wave has. */
  wave: WaveStatus | undefined;
  /** All hosts of the wave, and those that pass the filter. */
  hosts: readonly HostStatus[];
  visible: readonly HostStatus[];
  fleetSize: number;
  selected: string | undefined;
  onSelect: (host: string) => void;
}

export function Wave({ wave, hosts, visible, fleetSize, selected, onSelect }: WaveProps) {
  const counts = countStates(hosts);
  const title = wave === undefined ? 'Hosts of no wave' : `Wave ${wave.number}`;
  return (
    <section class="wave" aria-label={title}>
      <header>
        <h3>{title}</h3>
        {wave !== undefined && <span class={`badge ${wave.state}`}>{wave.state}</span>}
        <span class="about">
          <WaveTime wave={wave} />
        </span>
        <span class="about end">{countsText(counts)}</span>
      </header>
      <StateBar counts={counts} total={hosts.length} />
      {visible.length > 0 && (
        <HostGrid
          label={`Hosts of ${title.toLowerCase()}`}
          hosts={visible}
          fleetSize={fleetSize}
          selected={selected}
          onSelect={onSelect}
        />
      )}
    </section>
  );
}

function WaveTime({ wave }: { wave: WaveStatus | undefined }) {
  if (wave?.startedAt === undefined) return null;
  if (wave.state === 'soaking' && wave.soaksUntil !== undefined) return <>until {clockText(wave.soaksUntil)}</>;
  return (
    <>
      started {clockText(wave.startedAt)}, <Elapsed from={wave.startedAt} to={wave.endedAt} />
    </>
  );
}
