/** When each host joined: a line for each host, below each other in the order of their starts. */
import type { FleetStatus, HostState, HostStatus } from '../../../engine/fleet/status.ts';
import { useNow } from './clock.tsx';
import { clockText, durationText, HOST_STATES } from './states.ts';

const WIDTH = 1_000;
/** For lines that would be too short to see. */
const LINE_MIN = 2;
const TICKS = 5;
/** Drawing a thousand lines takes longer than the rest of the page. */
const REDRAW_MS = 10_000;

export function Timeline({ status }: { status: FleetStatus }) {
  const now = useNow(status.endedAt, REDRAW_MS);
  const started = status.hosts
    .filter((host) => host.startedAt !== undefined)
    .sort((a, b) => startOf(a) - startOf(b) || (a.name < b.name ? -1 : 1));
  const from = Date.parse(status.startedAt);
  const to = Math.max(from + 1_000, status.endedAt === undefined ? now : Date.parse(status.endedAt));
  const x = (ms: number): number => ((Math.min(to, Math.max(from, ms)) - from) / (to - from)) * WIDTH;
  return (
    <section class="card" aria-label="Timeline">
      <h2>Timeline</h2>
      <div class="timeline">
        <WaveBands status={status} x={x} to={to} />
        <svg
          viewBox={`0 0 ${WIDTH} ${Math.max(12, started.length)}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${started.length} of ${status.hosts.length} hosts started within ${durationText(to - from)}`}
        >
          {[...HOST_STATES].reverse().map((state) => (
            <path key={state} class={state} d={linesOf(started, state, x, to)} />
          ))}
        </svg>
      </div>
      <div class="ticks" aria-hidden="true">
        {Array.from({ length: TICKS }, (_, index) => from + ((to - from) * index) / (TICKS - 1)).map((at) => (
          <span key={at}>{clockText(at)}</span>
        ))}
      </div>
    </section>
  );
}

const startOf = ({ startedAt = '' }: HostStatus): number => Date.parse(startedAt);

/** One path for all hosts of a state, because a thousand elements would be slow. */
function linesOf(hosts: readonly HostStatus[], state: HostState, x: (ms: number) => number, to: number): string {
  return hosts
    .map((host, row) => {
      if (host.state !== state) return '';
      const end = x(host.endedAt === undefined ? to : Date.parse(host.endedAt));
      const start = Math.min(x(startOf(host)), end - LINE_MIN);
      return `M${start.toFixed(1)} ${row + 0.5}H${end.toFixed(1)}`;
    })
    .join('');
}

function WaveBands({ status, x, to }: { status: FleetStatus; x: (ms: number) => number; to: number }) {
  return status.waves.map(({ number, startedAt, endedAt }) => {
    if (startedAt === undefined) return null;
    const left = x(Date.parse(startedAt)) / (WIDTH / 100);
    const right = x(endedAt === undefined ? to : Date.parse(endedAt)) / (WIDTH / 100);
    const place = { left: `${left.toFixed(2)}%`, width: `${Math.max(0.2, right - left).toFixed(2)}%` };
    return (
      <div key={number} class="band" style={place}>
        {right - left > 4 && <span>Wave {number}</span>}
      </div>
    );
  });
}
