/** A plugin: a package or folder that adds phases. It is handed this SDK, and imports nothing of Joinery when it runs. */
import type { AnyPhase } from './phase.ts';

/** All that a plugin is handed: engine/sdk, and engine/pki as `pki`. */
export type Sdk = typeof import('./index.ts') & { readonly pki: typeof import('../pki/index.ts') };

export interface Plugin {
  /** Those that its manifest lists, and no others. */
  readonly phases: readonly AnyPhase[];
}

/** What a plugin's entry module exports by default. */
export type PluginFactory = (sdk: Sdk) => Plugin | Promise<Plugin>;

const MARK = Symbol.for('joinery.plugin');

/**
 * Defines a plugin. Its name, version, effects and the rest are in its `package.json`, below `joinery`: what it may do is known
 * before its code is run.
 *
 * @example
 * export default (sdk) => sdk.definePlugin({ phases: [sdk.definePhase({ name: 'motd', … })] });
 */
export const definePlugin = ({ phases }: Plugin): Plugin => Object.defineProperty({ phases }, MARK, { value: true });

/** By a symbol and not `instanceof`: a plugin may have met another copy of the SDK. */
export const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MARK] === true;
