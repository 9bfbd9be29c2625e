/** Runs a phase on a host on which one call fails, and undoes the run. */
import type { Change } from '../host/changes/index.ts';
import type { Host } from '../host/host.ts';
import type { RunEvent } from '../run/run.ts';
import type { AnyPhase } from '../sdk/index.ts';
import type { MemoryHost } from './memory-host.ts';
import { type Outcome, runPhase } from './run-phase.ts';
import { keyOf, stateOf } from './state.ts';

export interface PhaseCall {
  phase: AnyPhase;
  input: Record<string, unknown>;
  once: Readonly<Record<string, string>>;
}

export interface FailedRun {
  outcome: Outcome;
  /** How many calls the step made. */
  count: number;
  /** The state of everything that the run changed, as it was before. */
  before: Map<string, unknown>;
}

/** Call number `failure.at` fails with `failure.error`. Without a failure, the calls are only counted. */
export async function failingAt(
  host: MemoryHost,
  failure: { at: number; error: unknown } | undefined,
  { phase, input, once }: PhaseCall,
): Promise<FailedRun> {
  let count = 0;
  let isArmed = true;
  const before = new Map<string, unknown>();
  const call = async <T>(act: () => Promise<T>): Promise<T> => {
    if (isArmed && count++ === failure?.at) throw failure.error;
    return act();
  };
  const apply = async (change: Change, signal: AbortSignal): Promise<void> => {
    const key = keyOf(change);
    if (key !== undefined && !before.has(key))
      for (const [name, state] of await stateOf(host, [key])) before.set(name, state);
    return host.apply(change, signal);
  };
  const failing: Host = {
    facts: host.facts,
    access: host.access,
    now: host.now,
    read: (query, signal) => call(() => host.read(query, signal)),
    apply: (change, signal) => call(() => apply(change, signal)),
    send: (request, signal) => call(() => host.send(request, signal)),
    wait: (condition, signal) => call(() => host.wait(condition, signal)),
  };
  const disarm = (event: RunEvent) => {
    if (event.type === 'step.ended') isArmed = false; // calls of the undo do not fail
  };
  const outcome = await runPhase(phase, input, failing, { onFailure: 'undo', onEvent: disarm, once });
  return { outcome, count, before };
}
