/** What the operator's process knows of its rollout: the progress, and what the machines do at this moment. */
import type { RunEvent } from '../run/events.ts';
import { fail } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import { type FleetAction, type FleetBoard, isApproval } from './board.ts';
import type { Concurrency } from './concurrency.ts';
import type { RolloutProgress } from './progress.ts';
import type { FleetStatus, HostStatus, MachineStep } from './status.ts';

/** Of each host. The first ones are dropped. */
const EVENTS_MAX = 400;

/** What happens to a machine now. */
type LiveHost = Pick<HostStatus, 'step' | 'run' | 'seq' | 'pipelineStep' | 'approval'>;

/** Executes an action that `status` allows. */
export type Act = (action: FleetAction, host: HostStatus | undefined) => Promise<void>;

export class LiveBoard implements FleetBoard {
  #progress: RolloutProgress | undefined;
  readonly concurrency: Concurrency;
  readonly #act: Act;
  readonly #live = new Map<string, LiveHost>();
  readonly #events = new Map<string, RunEvent[]>();
  readonly #listeners = new Set<() => void>();

  constructor(concurrency: Concurrency, act: Act) {
    this.concurrency = concurrency;
    this.#act = act;
  }

  /** Whether the rollout is known. After a crash, Restate has to repeat it first. */
  get isKnown(): boolean {
    return this.#progress !== undefined;
  }

  follow(progress: RolloutProgress): void {
    this.#progress = progress;
    this.changed();
  }

  status(): FleetStatus {
    if (this.#progress === undefined) throw new Error('the rollout is not known yet');
    const { status } = this.#progress;
    const { joining, limit, maximum, reason } = this.concurrency;
    return {
      ...status,
      hosts: status.hosts.map((host) => {
        const isBusy = host.state === 'joining' || host.state === 'undoing';
        return isBusy ? { ...host, ...this.#live.get(host.name) } : host;
      }),
      concurrency: { joining, limit, maximum, ...defined({ reason }) },
      ...defined({ joinsPerSecond: joinsPerSecond(status.hosts) }),
    };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  eventsOf(host: string): RunEvent[] {
    return this.#events.get(host) ?? [];
  }

  async act(action: FleetAction): Promise<void> {
    const refused = (what: string) => fail('E_FLEET_ACTION', { action: action.action, what });
    if (this.#progress === undefined) throw refused('the rollout has not started yet');
    if (!isApproval(action)) {
      const refusal = this.#progress.refuses(action);
      if (refusal !== undefined) throw refused(refusal);
      return this.#act(action, undefined);
    }
    const host = this.status().hosts.find(({ name }) => name === action.host);
    if (host?.approval?.step !== action.step)
      throw refused(`host ${action.host} does not wait for an approval of ${action.step}`);
    return this.#act(action, host);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  entered(host: string, step: MachineStep): void {
    const { run, seq } = this.#live.get(host) ?? {};
    this.#live.set(host, { step, ...(step === 'reach' ? {} : defined({ run, seq })) });
    this.changed();
  }

  heard(host: string, event: RunEvent): void {
    const events = this.#events.get(host) ?? [];
    const isOfSameRun = events[0]?.run === event.run;
    this.#events.set(host, [...(isOfSameRun ? events : []), event].slice(-EVENTS_MAX));
    const { step, ...known } = this.#live.get(host) ?? {};
    this.#live.set(host, { ...defined({ step }), ...pipelineState(known, event), run: event.run, seq: event.seq });
    this.changed();
  }

  /** The number after the last event of the host that is known. */
  nextEvent(host: string): number {
    return (this.#events.get(host)?.at(-1)?.seq ?? 0) + 1;
  }
}

/** The step of the pipeline that runs, and what it asks. */
function pipelineState(
  { pipelineStep, approval }: LiveHost,
  event: RunEvent,
): Pick<LiveHost, 'pipelineStep' | 'approval'> {
  if (event.type === 'step.started') return { pipelineStep: event.step };
  if (event.type === 'step.asked') {
    const { step, message, until } = event;
    return { pipelineStep: step, approval: { step, message, until } };
  }
  const isOver = 'step' in event && event.step === approval?.step && /answered|ended/.test(event.type);
  return defined({ pipelineStep, approval: isOver ? undefined : approval });
}

/** Over the time in which any host was joining. Undefined if none has joined. */
function joinsPerSecond(hosts: readonly HostStatus[]): number | undefined {
  const spans = hosts
    .flatMap(({ state, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined || state === 'unchanged'
        ? []
        : [[Date.parse(startedAt), Date.parse(endedAt)] as const],
    )
    .sort(([a], [b]) => a - b);
  let busyMs = 0;
  let untilMs = Number.NEGATIVE_INFINITY;
  for (const [from, to] of spans) {
    busyMs += Math.max(0, to - Math.max(from, untilMs));
    untilMs = Math.max(untilMs, to);
  }
  const joined = hosts.filter(({ state }) => state === 'joined').length;
  return joined === 0 || busyMs === 0 ? undefined : (joined * 1000) / busyMs;
}
