/** One attempt of a step. Its phase gets its own ports, which refuse everything after the attempt has ended. */
import { type Change, type Snapshot, type StepChange, snapshotBefore } from '../host/changes/index.ts';
import { serviceDataOf } from '../host/changes/service-data.ts';
import { type Host, readerOf, type Wait } from '../host/host.ts';
import { composePorts } from '../host/ports/index.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { Ports } from '../sdk/ports.ts';
import type { StepJournal } from './step-journal.ts';

/** Shared by all attempts, because creating an error for each would cost as much as the rest of the attempt. */
const ENDED = new Error('the attempt has ended');

export interface AttemptContext {
  phase: AnyPhase;
  input: object;
  host: Host;
  signal: AbortSignal;
  journal: StepJournal;
  /** Whether a text contains a secret of the run. */
  hasSecret: (text: string) => boolean;
  log: (level: 'info' | 'warn', text: string) => void;
  onChange: (change: StepChange) => void;
  /** Called before a wait. The returned function is called at its end. */
  onWait: (wait: Wait) => () => void;
  /** Called when a stand-in takes the place of a value that only a real run has. */
  onStandIn: () => void;
}

/** Calls `act` with the ports of the attempt. A promise that `act` leaves behind cannot change anything. */
export async function withPorts<T>(context: AttemptContext, act: (ports: Ports) => Promise<T>): Promise<T> {
  const { signal } = context;
  const ended = new AbortController();
  const stop = () => ended.abort(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await act(portsOf(context, ended.signal));
  } finally {
    signal.removeEventListener('abort', stop);
    ended.abort(ENDED);
  }
}

function portsOf(context: AttemptContext, signal: AbortSignal): Ports {
  const { phase, input, host, journal, hasSecret, log, onChange, onWait, onStandIn } = context;
  return composePorts({
    host,
    input,
    signal,
    hasSecret,
    log,
    onChange,
    onWait,
    onStandIn,
    effects: phase.effects,
    bounds: phase.origin?.bounds,
    record: (described, change) => journal.change(described, () => snapshotFor(change, context, signal)),
    once: (name, make, which) => journal[which](name, make),
  });
}

/** A change of the cluster has no snapshot: nothing on this machine precedes it. */
async function snapshotFor(
  change: Change | undefined,
  { host, phase }: AttemptContext,
  signal: AbortSignal,
): Promise<Snapshot> {
  if (change === undefined) return { before: { kind: 'none' } };
  return snapshotBefore(change, {
    read: readerOf(host, signal),
    serviceData: (service) => serviceDataOf(phase.effects, service),
  });
}
