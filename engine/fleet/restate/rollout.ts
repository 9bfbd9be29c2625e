/** The workflow `joinery-rollout`, keyed by rollout: does what `RolloutProgress` decides, and keeps it over crashes. */

import { fail } from '../../sdk/errors.ts';
import { defined } from '../../sdk/fields.ts';
import type { RolloutAction } from '../board.ts';
import type { Fleet } from '../fleet.ts';
import { type HostResult, RolloutProgress } from '../progress.ts';
import type { FleetStatus } from '../status.ts';
import type { controlHandlers } from './control.ts';
import type { MachineHandlers } from './machine.ts';
import { CONTROL, MACHINE, machineKey, ROLLOUT, type RolloutInput } from './names.ts';
import { handlers, RestatePromise, type WorkflowContext, type WorkflowSharedContext, workflow } from './sdk.ts';

/** What shows a rollout. A replay after a crash calls it again. */
export interface RolloutWatch {
  /** The status of `progress` changes from now on. */
  follow(progress: RolloutProgress): void;
  changed(): void;
}

type Event =
  | { kind: 'host'; host: string; result: HostResult }
  | { kind: 'action'; action: RolloutAction }
  | { kind: 'soaked' };

interface RolloutState {
  fleet: Fleet;
  status: FleetStatus;
  [name: string]: unknown;
}

const DAY_MS = 86_400_000;
/** How long an ended rollout can be undone. */
const RETENTION_MS = 30 * DAY_MS;

export const rolloutWorkflow = (watch: RolloutWatch) =>
  workflow({
    ...ROLLOUT,
    handlers: rolloutHandlers(watch),
    options: { workflowRetention: RETENTION_MS, inactivityTimeout: DAY_MS },
  });

function rolloutHandlers(watch: RolloutWatch) {
  return {
    async run(context: WorkflowContext<RolloutState>, input: RolloutInput): Promise<FleetStatus> {
      context.set('fleet', input.fleet);
      const progress = progressOf(context.key, input);
      watch.follow(progress);
      await new Execution(context, progress, watch).run();
      context.set('status', progress.status);
      await context.objectClient<typeof controlHandlers>(CONTROL, input.fleet.name).end(context.key);
      return progress.status;
    },

    /** For the machines, which do not get the fleet with each request. */
    fleet: handlers.workflow.shared(
      async (context: WorkflowSharedContext<RolloutState>): Promise<Fleet | null> => context.get('fleet'),
    ),
    /** Only of a rollout that has ended. */
    status: handlers.workflow.shared(
      async (context: WorkflowSharedContext<RolloutState>): Promise<FleetStatus | null> => context.get('status'),
    ),
  };
}

function progressOf(key: string, { fleet, startedAt, undo }: RolloutInput): RolloutProgress {
  if (undo === undefined) return new RolloutProgress(fleet, key, startedAt);
  const progress = RolloutProgress.ofEnded(fleet, undo.status);
  progress.act({ action: 'undo', ...defined({ wave: undo.wave }) });
  return progress;
}

class Execution {
  readonly #context: WorkflowContext<RolloutState>;
  readonly #progress: RolloutProgress;
  readonly #watch: RolloutWatch;
  readonly #pending = new Map<string, RestatePromise<Event>>();

  constructor(context: WorkflowContext<RolloutState>, progress: RolloutProgress, watch: RolloutWatch) {
    this.#context = context;
    this.#progress = progress;
    this.#watch = watch;
  }

  async run(): Promise<void> {
    this.#listen();
    for (;;) {
      const decision = this.#progress.decide(await this.#context.date.toJSON());
      this.#watch.changed();
      if (decision.kind === 'end') return;
      for (const { name } of decision.join) this.#ask(name, 'join');
      for (const { name } of decision.undo) this.#ask(name, 'undo');
      if (decision.soakMs !== undefined)
        this.#pending.set(
          'soak',
          this.#context.sleep(decision.soakMs).map(() => ({ kind: 'soaked' })),
        );
      this.#handle(await RestatePromise.race([...this.#pending.values()]));
      this.#watch.changed();
    }
  }

  #handle(event: Event): void {
    if (event.kind === 'host') {
      this.#pending.delete(`host ${event.host}`);
      this.#progress.record(event.host, event.result);
    } else if (event.kind === 'action') {
      this.#progress.act(event.action);
      this.#listen();
    } else {
      this.#pending.delete('soak');
      this.#progress.soaked();
    }
  }

  #listen(): void {
    const { id, promise } = this.#context.awakeable<RolloutAction>();
    this.#context.objectSendClient<typeof controlHandlers>(CONTROL, this.#progress.fleet.name).listen(id);
    this.#pending.set(
      'action',
      promise.map((action) => ({ kind: 'action', action: action as RolloutAction })),
    );
  }

  #ask(host: string, what: 'join' | 'undo'): void {
    const { fleet, status } = this.#progress;
    const { attempts: attempt } = this.#progress.host(host);
    const client = this.#context.objectClient<MachineHandlers>(MACHINE, machineKey(fleet.name, host));
    const request = { workflow: this.#context.key, rollout: status.rollout, host, attempt };
    const result = what === 'join' ? client.join(request) : client.undo(request);
    this.#pending.set(
      `host ${host}`,
      (result as RestatePromise<HostResult>).map((value, failure) => ({
        kind: 'host',
        host,
        result: value ?? bug(failure, status.startedAt),
      })),
    );
  }
}

/** A request that Restate has ended, because someone has cancelled it there. */
const bug = (failure: Error | undefined, at: string): HostResult => {
  const { code, message, hint } = fail('E_FLEET_BUG', { what: `Restate has ended the request: ${failure?.message}` });
  return { state: 'failed', error: { code, message, next: hint }, startedAt: at, endedAt: at };
};
