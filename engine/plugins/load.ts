/**
 * Loads the phases of an inspected plugin: imports its module, passes it the SDK, and compares the result with the
 * manifest.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTimer, type Timer } from '../limits/timers.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import { type AnyPhase, clean, isPlugin } from '../sdk/index.ts';
import { differencesBetween } from './compare.ts';
import type { InspectedPlugin } from './inspect.ts';
import { phaseOf } from './phase.ts';
import { plainError } from './thrown.ts';

export interface LoadedPlugin extends InspectedPlugin {
  phases: readonly AnyPhase[];
}

/** The launcher's own `import()`: a bundle that runs from a code cache has no `import()`. */
export type Importer = (url: string) => Promise<unknown>;

export interface LoadOptions {
  importer: Importer;
  /** The object that the plugin gets. */
  sdk: object;
  limitMs?: number;
}

const LIMIT_MS = 10_000;

/** E_PLUGIN_CODE if it cannot be loaded, E_PLUGIN_MISMATCH if it differs from its manifest. */
export async function loadPlugin(
  plugin: InspectedPlugin,
  { importer, sdk, limitMs = LIMIT_MS }: LoadOptions,
): Promise<LoadedPlugin> {
  const { folder, manifest, integrity, isShipped } = plugin;
  const refuse = (what: string, cause?: unknown) => fail('E_PLUGIN_CODE', { plugin: folder, what }, cause);
  const made = async () => {
    const exported = await importer(pathToFileURL(join(folder, manifest.main)).href);
    const factory = defaultOf(exported);
    if (factory === undefined)
      throw refuse(`${manifest.main} has no function as its default export: export default (sdk) => …`);
    const value = await factory(sdk);
    if (!isPlugin(value)) throw refuse(`${manifest.main} does not return sdk.definePlugin({ … })`);
    const { name, version, effects: bounds } = manifest;
    const origin = { plugin: name, version, folder, isShipped, integrity, bounds };
    return [...value.phases].map((phase) => phaseOf(phase, origin));
  };
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = startTimer(limitMs, () => reject(refuse(`it did not finish within ${limitMs / 1000} s`)));
  });
  let phases: AnyPhase[];
  try {
    phases = await Promise.race([made(), late]);
  } catch (error) {
    const told = plainError(error);
    throw isJoinError(told) ? told : refuse(clean(told.message) || 'it throws an error without a message', told);
  } finally {
    timer?.cancel();
  }
  const differences = differencesBetween(manifest, phases);
  if (differences.length > 0) throw fail('E_PLUGIN_MISMATCH', { plugin: manifest.name, differences });
  return { ...plugin, phases };
}

/** The default export of an ES module, of a CommonJS module, or of an ES module that was compiled to CommonJS. */
function defaultOf(exported: unknown): ((handed: unknown) => unknown) | undefined {
  const { default: own } = exported as { default?: unknown };
  const inner = typeof own === 'object' && own !== null ? (own as { default?: unknown }).default : undefined;
  const factory = [own, inner].find((value) => typeof value === 'function');
  return factory as ((handed: unknown) => unknown) | undefined;
}
