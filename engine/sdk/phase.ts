/**
 * Phases, and the plugins that add them. A phase declares its effects, and then performs exactly those through its
 * ports.
 */
import type { Bounds } from './bounds.ts';
import { changesCluster, type Effect } from './effects.ts';
import type { RunEvent } from './events.ts';
import type { Gate } from './gates.ts';
import type { Ports } from './ports.ts';
import type { Infer, Schema } from './schema.ts';

/**
 * A phase: the code behind a step of a pipeline. Create it with `definePhase`.
 * @stable
 */
export interface Phase<I extends Schema = Schema, O extends Schema = Schema> {
  /** In kebab case; the same as the name of its folder. */
  readonly name: string;
  /** One line, for lists and help. */
  readonly summary: string;
  readonly input: I;
  readonly output: O;
  /** The most that `run` and `undo` do; the ports refuse everything else. Reading the machine needs no effect. */
  readonly effects: readonly Effect[];
  /** Feature gates of the phase. A pipeline passes their values to its inputs as `gates.NAME`. */
  readonly gates?: readonly Gate[];
  /** Why its changes to the cluster cannot be undone. Joinery prints it before the run. */
  readonly irreversible?: string;
  /**
   * Must be idempotent, and deterministic apart from `random`: a retry runs it again from the start, on the result of
   * the last attempt.
   */
  run(ports: Ports, input: Infer<I>): Promise<Infer<O>>;
  /**
   * Undoes its changes outside the machine. The engine restores the machine itself. `changes` are those of
   * this step in the journal.
   */
  undo?(ports: Ports, input: Infer<I>, changes: readonly { readonly kind: string }[]): Promise<void>;
  /**
   * Receives `step.started`, `step.retrying`, `step.ended` and `run.ended` after its own step has succeeded: in order,
   * with 5 s for each. A thrown error becomes a warning.
   * Its changes are neither recorded nor undone.
   */
  onEvent?(ports: Ports, input: Infer<I>, event: RunEvent): Promise<void>;
}

/**
 * The plugin of a phase, with the limits from its manifest.
 * @experimental
 */
export interface PhaseOrigin {
  readonly plugin: string;
  readonly version: string;
  readonly folder: string;
  /** Whether the plugin ships with Joinery. */
  readonly isShipped: boolean;
  /** Digest of all files of the plugin, as in `joinery.lock`. */
  readonly integrity: string;
  readonly bounds: Bounds;
}

/**
 * A phase whose schemas are not known to the compiler. The engine validates its inputs and outputs at run time.
 * @experimental
 */
export interface AnyPhase extends Omit<Phase, 'run' | 'undo' | 'onEvent'> {
  /** Absent if the phase is part of Joinery. */
  readonly origin?: PhaseOrigin;
  run(ports: Ports, input: unknown): Promise<unknown>;
  undo?(ports: Ports, input: unknown, changes: readonly { readonly kind: string }[]): Promise<void>;
  onEvent?(ports: Ports, input: unknown, event: RunEvent): Promise<void>;
}

/**
 * Defines a phase. The types of `run` follow from the schemas, so write schemas in other files `as const`.
 * Throws a TypeError if the phase changes the cluster and has neither `undo` nor `irreversible`.
 *
 * @example
 * export default definePhase({
 *   name: 'motd',
 *   summary: 'Write the message of the day',
 *   input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
 *   output: { type: 'object' },
 *   effects: [writes('/etc/motd', 0o644, 'the greeting')],
 *   async run({ files }, { text }) {
 *     await files.write('/etc/motd', text, 0o644);
 *     return {};
 *   },
 * });
 * @stable
 */
export function definePhase<const I extends Schema, const O extends Schema>(phase: Phase<I, O>): Phase<I, O> {
  if (phase.effects.some(changesCluster) && phase.undo === undefined && phase.irreversible === undefined)
    throw new TypeError(`phase ${phase.name} changes the cluster: add undo, or the reason why it is irreversible`);
  return phase;
}

/**
 * What a plugin consists of.
 * @stable
 */
export interface Plugin {
  /** Exactly the phases that its manifest lists. */
  readonly phases: readonly AnyPhase[];
}

/**
 * What a plugin's entry module exports by default. `S` is the type `Sdk`.
 * @stable
 */
export type PluginFactory<S = unknown> = (sdk: S) => Plugin | Promise<Plugin>;

const MARK = Symbol.for('joinery.plugin');

/**
 * Defines a plugin. Its name, its version and the limits of its effects are in its `package.json`, below `joinery`, so
 * that they are
 * known before its code runs.
 *
 * @example
 * export default (sdk) => sdk.definePlugin({ phases: [sdk.definePhase({ name: 'motd', … })] });
 * @stable
 */
export const definePlugin = ({ phases }: Plugin): Plugin => Object.defineProperty({ phases }, MARK, { value: true });

/**
 * Whether `value` comes from `definePlugin`. A symbol decides, not `instanceof`: a plugin may have loaded another copy
 * of the SDK.
 * @stable
 */
export const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MARK] === true;
