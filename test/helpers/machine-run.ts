import { createActor } from 'xstate';
import { Frontier, type FrontierStep } from '../../engine/run/frontier.ts';
import { runMachine } from '../../engine/run/run-machine.ts';
import type { Attempt, AttemptInput, MachineEvent, StepPolicy } from '../../engine/run/step-actor.ts';
import { fail } from '../../engine/sdk/errors.ts';
import { SimulatedTime } from './simulated-time.ts';

export const TRANSIENT = fail('E_API_UNREACHABLE', { server: 'https://c', what: 'refused' });
export const PERMANENT = fail('E_API_UNAUTHORIZED', { server: 'https://c', what: 'get nodes' });
export const RETRY = { attempts: 4, initialMs: 100, factor: 3, capMs: 500 };

export type TimedEvent = { at: number } & (MachineEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'direction'>
    : never
  : never);

export interface MachineSetup {
  steps: (FrontierStep & Partial<StepPolicy>)[];
  attempt: (input: AttemptInput, time: SimulatedTime) => ReturnType<Attempt>;
  maxParallel?: number;
  onFailure?: 'undo' | 'keep';
  random?: number;
  onNotify?: (event: MachineEvent) => void;
}

/** A run in simulated time, with its events and the time of each. */
export function machineRun(setup: MachineSetup) {
  const { steps, attempt, maxParallel = 8, onFailure = 'keep', random = 0.5, onNotify } = setup;
  const time = new SimulatedTime();
  const frontier = new Frontier(steps);
  const events: TimedEvent[] = [];
  const actor = createActor(runMachine, {
    clock: time,
    input: {
      frontier,
      policies: new Map(steps.map((step) => [step.id, { timeoutMs: 10_000, retry: RETRY, ...step }])),
      attempt: (input) => attempt(input, time),
      decide: () => 'run',
      notify: ({ ...event }) => {
        onNotify?.(event);
        // The direction is `run` in all tests except those of an undo.
        if ('direction' in event) delete (event as { direction?: string }).direction;
        events.push({ at: time.now(), ...event });
      },
      random: () => random,
      clock: time,
      maxParallel,
      direction: 'run',
      restore: async () => undefined,
      onFailure,
      onCancel: onFailure,
    },
  });
  actor.start();
  return {
    actor,
    time,
    events,
    frontier,
    cancel: () => actor.send({ type: 'cancel' }),
    state: () => actor.getSnapshot().value,
    children: () => Object.keys(actor.getSnapshot().children),
    ends: () => events.flatMap((event) => (event.type === 'step.ended' ? [`${event.id} ${event.status}`] : [])),
    started: () => events.flatMap((event) => (event.type === 'step.started' ? [`${event.at} ${event.id}`] : [])),
  };
}

export const step = (id: string, ...needs: string[]) => ({ id, needs });
/** Takes `ms`, and ends at once when it is stopped. */
export const working =
  (ms: number): MachineSetup['attempt'] =>
  async ({ signal }, time) => {
    await time.sleep(ms, signal);
    return 'succeeded';
  };
/** Takes `ms` even when it is stopped. */
export const unstoppable =
  (ms: number): MachineSetup['attempt'] =>
  async (_, time) => {
    await time.sleep(ms);
    return 'succeeded';
  };
export const failing =
  (error: unknown): MachineSetup['attempt'] =>
  async () => {
    throw error;
  };
