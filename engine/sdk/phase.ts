/** A phase is a value that says what it will do, does exactly that through its ports, and can be put back. */
import type { Bounds } from './bounds.ts';
import { changesCluster, type Effect } from './effects.ts';
import type { Gate } from './gates.ts';
import type { Ports } from './ports.ts';
import type { Infer, Schema } from './schema.ts';

export interface Phase<I extends Schema = Schema, O extends Schema = Schema> {
  /** Kebab case; equals the folder's name. */
  readonly name: string;
  /** One line, for lists and help. */
  readonly summary: string;
  readonly input: I;
  readonly output: O;
  /** The upper bound of what `run` and `undo` do; the ports refuse anything else. Reading the host needs no entry. */
  readonly effects: readonly Effect[];
  /** Feature gates that it hooks on: a pipeline hands their values to its inputs, as `gates.NAME`. */
  readonly gates?: readonly Gate[];
  /** Why what it leaves in the cluster cannot be taken back; shown before the run. */
  readonly irreversible?: string;
  /** Deterministic given its input and `random.once`, and idempotent: a retry runs it again from its start over what is there. */
  run(ports: Ports, input: Infer<I>): Promise<Infer<O>>;
  /** Takes back what left the machine. The machine itself is the engine's to restore. */
  undo?(ports: Ports, input: Infer<I>): Promise<void>;
  /**
   * Told what happens in the run once its step has succeeded: in order, 5 s for each, and best effort. What it throws is a warning, and
   * nothing that it does is journaled or shown.
   */
  onEvent?(ports: Ports, input: Infer<I>, event: PhaseEvent): Promise<void>;
}

/** What happens in a run; no secret is in it. */
export interface PhaseEvent {
  readonly type: 'step.started' | 'step.retrying' | 'step.ended' | 'run.ended';
  /** RFC 3339. */
  readonly at: string;
  /** The run's id. */
  readonly run: string;
  readonly pipeline: string;
  /** The host name. */
  readonly machine: string;
  readonly step?: string;
  /** How it ended. */
  readonly status?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The plugin that a phase comes from, and the most that any phase of it may do. */
export interface PhaseOrigin {
  readonly plugin: string;
  readonly version: string;
  readonly folder: string;
  /** It came with Joinery itself. */
  readonly isShipped: boolean;
  /** Digest of all that it is made of, as `joinery.lock` has it. */
  readonly integrity: string;
  readonly bounds: Bounds;
}

/** A phase of unknown schemas, as the registry holds it; the engine checks input and output against them. */
export interface AnyPhase extends Omit<Phase, 'run' | 'undo' | 'onEvent'> {
  /** Left out: it ships with Joinery. */
  readonly origin?: PhaseOrigin;
  run(ports: Ports, input: unknown): Promise<unknown>;
  undo?(ports: Ports, input: unknown): Promise<void>;
  onEvent?(ports: Ports, input: unknown, event: PhaseEvent): Promise<void>;
}

/**
 * Defines a phase; the types of `run` come from the schemas (write them `as const`).
 *
 * @example
 * export default definePhase({
 *   name: 'motd',
 *   summary: 'Greet whoever logs in',
 *   input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
 *   output: { type: 'object' },
 *   effects: [writes('/etc/motd', 0o644, 'the greeting')],
 *   async run({ files }, { text }) {
 *     await files.write('/etc/motd', text, 0o644);
 *     return {};
 *   },
 * });
 */
export function definePhase<const I extends Schema, const O extends Schema>(phase: Phase<I, O>): Phase<I, O> {
  if (phase.effects.some(changesCluster) && phase.undo === undefined && phase.irreversible === undefined)
    throw new TypeError(`phase ${phase.name} changes the cluster: give it an undo, or say why it is irreversible`);
  return phase;
}
