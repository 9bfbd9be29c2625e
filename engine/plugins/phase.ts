/** Copies a phase of a plugin, so that the engine can trust it: its data, and functions that return plain data. */
import { fail } from '../sdk/errors.ts';
import type { AnyPhase, PhaseOrigin } from '../sdk/phase.ts';
import { plainData, plainOutputs } from './plain.ts';
import { plainError } from './thrown.ts';

/** The data of a phase: everything except its functions. */
const DATA = ['name', 'summary', 'input', 'output', 'effects', 'gates', 'irreversible'] as const;

/** Throws an Error that describes the problem. Later changes by the plugin to its own object have no effect. */
export function phaseOf(made: unknown, origin: PhaseOrigin): AnyPhase {
  if (typeof made !== 'object' || made === null) throw new Error('one of its phases is not an object');
  const { run, undo, onEvent } = made as Partial<AnyPhase>;
  const data = plainData(Object.fromEntries(DATA.map((key) => [key, (made as Record<string, unknown>)[key]])));
  const { name } = data as { name?: unknown };
  if (typeof name !== 'string') throw new Error('one of its phases has no name');
  if (typeof run !== 'function') throw new Error(`its phase ${name} has no function run`);
  if (undo !== undefined && typeof undo !== 'function') throw new Error(`undo of its phase ${name} is not a function`);
  if (onEvent !== undefined && typeof onEvent !== 'function')
    throw new Error(`onEvent of its phase ${name} is not a function`);
  const phase: AnyPhase = {
    // compare.ts checks its shape before any other code reads it
    ...(data as Omit<AnyPhase, 'run' | 'undo' | 'onEvent'>),
    origin,
    async run(ports, input) {
      return calmly(async () => {
        const outputs: unknown = await Reflect.apply(run, made, [ports, input]);
        return plainOutputs(outputs ?? {}, (problem) => fail('E_OUTPUT', { phase: name, problems: [problem] }));
      });
    },
    ...(undo === undefined
      ? {}
      : {
          async undo(ports, input) {
            await calmly(() => Reflect.apply(undo, made, [ports, input]));
          },
        }),
    ...(onEvent === undefined
      ? {}
      : {
          async onEvent(ports, input, event) {
            await calmly(() => Reflect.apply(onEvent, made, [ports, input, Object.freeze(event)]));
          },
        }),
  };
  return Object.freeze(phase);
}

async function calmly<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw plainError(error);
  }
}
