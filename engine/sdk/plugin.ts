/** A plugin is a folder or package that adds phases. It gets the SDK as an argument, and imports nothing of Joinery at run time. */
import type { AnyPhase } from './phase.ts';

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
 * Defines a plugin. Its name, its version and the limits of its effects are in its `package.json`, below `joinery`, so that they are
 * known before its code runs.
 *
 * @example
 * export default (sdk) => sdk.definePlugin({ phases: [sdk.definePhase({ name: 'motd', … })] });
 * @stable
 */
export const definePlugin = ({ phases }: Plugin): Plugin => Object.defineProperty({ phases }, MARK, { value: true });

/**
 * Whether `value` comes from `definePlugin`. A symbol decides, not `instanceof`: a plugin may have loaded another copy of the SDK.
 * @stable
 */
export const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MARK] === true;
