/** The head of the page: the rollout, its numbers, its failure budget and its concurrency. */
import type { ComponentChildren } from 'preact';
import type { FleetAction } from '../../../engine/fleet/board.ts';
import type { FleetStatus } from '../../../engine/fleet/status.ts';
import { Elapsed } from './clock.tsx';
import { clockText, countStates } from './states.ts';
import { countsText, StateBar } from './waves.tsx';

interface HeadProps {
  status: FleetStatus;
  /** Undefined in a report. */
  onAct: ((action: FleetAction) => void) | undefined;
  onKeys: () => void;
}

export function Head({ status, onAct, onKeys }: HeadProps) {
  const { fleet, rollout, state, reason, startedAt, endedAt } = status;
  return (
    <header class="head">
      <h1>{fleet}</h1>
      <span class={`badge ${state}`}>{state}</span>
      <span class="about">
        rollout {rollout}, started {clockText(startedAt)}, <Elapsed from={startedAt} to={endedAt} />
      </span>
      <span class="actions end">
        {onAct !== undefined && state === 'running' && (
          <button type="button" onClick={() => onAct({ action: 'pause' })}>
            Pause
          </button>
        )}
        {onAct !== undefined && state === 'paused' && (
          <button type="button" class="primary" onClick={() => onAct({ action: 'resume' })}>
            Resume
          </button>
        )}
        <button type="button" aria-label="Keys" title="Keys (?)" onClick={onKeys}>
          ?
        </button>
      </span>
      {reason !== undefined && <p class="reason">{reason}</p>}
    </header>
  );
}

export function Summary({ status }: { status: FleetStatus }) {
  const { hosts, budget, concurrency, joinsPerSecond } = status;
  const counts = countStates(hosts);
  const done = (counts.joined ?? 0) + (counts.unchanged ?? 0);
  return (
    <section class="summary" aria-label="Summary">
      <div class="card wide">
        <h2>Hosts</h2>
        <p class="figure">
          {done} <small>of {hosts.length} are in the cluster</small>
        </p>
        <StateBar counts={counts} total={hosts.length} />
        <p class="about">{countsText(counts)}</p>
      </div>
      <Figure title="Failure budget" value={budget.failedHosts} unit={`of ${budget.allowedHosts} failed hosts`}>
        <Meter value={budget.failedHosts} max={budget.allowedHosts} kind={budgetKind(budget)} />
      </Figure>
      {concurrency !== undefined && (
        <Figure title="Concurrency" value={concurrency.joining} unit={`of ${concurrency.limit} join now`}>
          <Meter value={concurrency.joining} max={concurrency.maximum} limit={concurrency.limit} kind="value" />
          <p class="about">{concurrency.reason ?? `at most ${concurrency.maximum}`}</p>
        </Figure>
      )}
      {joinsPerSecond !== undefined && (
        <Figure title="Speed" value={joinsPerSecond.toFixed(joinsPerSecond < 10 ? 1 : 0)} unit="joins per second" />
      )}
    </section>
  );
}

interface FigureProps {
  title: string;
  value: number | string;
  unit: string;
  children?: ComponentChildren;
}

const Figure = ({ title, value, unit, children }: FigureProps) => (
  <div class="card">
    <h2>{title}</h2>
    <p class="figure">
      {value} <small>{unit}</small>
    </p>
    {children}
  </div>
);

const budgetKind = ({ failedHosts, allowedHosts }: FleetStatus['budget']): MeterProps['kind'] => {
  if (failedHosts > allowedHosts) return 'failed';
  return failedHosts === allowedHosts ? 'spent' : 'value';
};

interface MeterProps {
  value: number;
  max: number;
  limit?: number;
  kind: 'value' | 'spent' | 'failed';
}

/** The text above it says the same. */
function Meter({ value, max, limit, kind }: MeterProps) {
  const [all, filled] = [Math.max(1, max), Math.min(value, Math.max(1, max))];
  return (
    <svg class="bar" viewBox={`0 0 ${all} 1`} preserveAspectRatio="none" aria-hidden="true">
      <rect class={kind} x="0" y="0" width={filled} height="1" />
      {limit !== undefined && limit < all && <rect class="beyond" x={limit} y="0" width={all - limit} height="1" />}
    </svg>
  );
}
