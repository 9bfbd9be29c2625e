/** One attempt of a step, or of undoing it: its phase with ports that are its own, and that end with it. */
import { type Change, type Snapshot, type StepChange, snapshotBefore } from '../host/changes/index.ts';
import { serviceDataOf } from '../host/changes/service-data.ts';
import { type Host, readerOf, type Wait } from '../host/host.ts';
import { portsFor } from '../host/ports/index.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { Ports } from '../sdk/ports.ts';
import type { Secret } from '../sdk/secret.ts';

/** Made once: a reason of its own for every attempt would cost as much as the rest of it. */
const ENDED = new Error('the attempt has ended');

export interface Lent {
  phase: AnyPhase;
  input: object;
  host: Host;
  signal: AbortSignal;
  /** Whether a secret of the run can be read in it. */
  hasSecret: (text: string) => boolean;
  log: (level: 'info' | 'warn', text: string) => void;
  onChange: (change: StepChange) => void;
  onWait: (wait: Wait) => void;
  /** Awaited before each change; `look` reads what is there before it. */
  journaled: (told: StepChange, look: () => Promise<Snapshot>) => Promise<void>;
  once: (name: string, make: () => string, anew: boolean) => Promise<Secret>;
}

/** Hands out ports that refuse once `act` has ended: a promise it forgot cannot change anything. */
export async function withPorts<T>(lent: Lent, act: (ports: Ports) => Promise<T>): Promise<T> {
  const { phase, input, host, signal, hasSecret, log, onChange, onWait, journaled, once } = lent;
  const ended = new AbortController();
  const cut = () => ended.abort(signal.reason);
  if (signal.aborted) cut();
  else signal.addEventListener('abort', cut, { once: true });
  const look = async (change: Change | undefined): Promise<Snapshot> => {
    if (change === undefined) return { before: { kind: 'none' } };
    return snapshotBefore(change, {
      read: readerOf(host, ended.signal),
      serviceData: (service) => serviceDataOf(phase.effects, service),
    });
  };
  const ports = portsFor({
    ...{ host, input, hasSecret, log, onChange, onWait, once },
    effects: phase.effects,
    bounds: phase.origin?.bounds,
    signal: ended.signal,
    record: (told, change) => journaled(told, () => look(change)),
  });
  try {
    return await act(ports);
  } finally {
    signal.removeEventListener('abort', cut);
    ended.abort(ENDED);
  }
}
