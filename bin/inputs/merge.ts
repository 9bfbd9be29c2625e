/** All that is given for the inputs of a pipeline, layer by layer. */
import { fail, isJoinError, type Schema } from '../../engine/sdk/index.ts';
import { layered, type Values } from './values.ts';
import { fromVariables } from './variables.ts';

export interface Given {
  values: Values;
  /** A configuration file may ask for one too. */
  dryRun: boolean;
  problems: readonly string[];
  notes: readonly string[];
}

/** `typed` are flags and arguments. E_CONFIG, E_CONFIG_FILE. */
export async function givenFor(
  inputs: Schema,
  typed: Values,
  config: { file: string; lenient: boolean } | undefined,
): Promise<Given> {
  const variables = fromVariables(inputs, process.env);
  const over = layered(variables.values, typed);
  if (config === undefined) return { ...variables, values: over, dryRun: false };
  const { withConfiguration } = await import('./config-file.ts'); // most joins have none, and should not pay for it
  const configured = await withConfiguration(config, inputs, over);
  return {
    ...configured,
    problems: [...variables.problems, ...configured.problems],
    notes: [...variables.notes, ...configured.notes],
  };
}

/** What `make` makes; or E_INPUT with the problems that were found before, and those that it finds. */
export function withProblems<T>(found: readonly string[], make: () => T): T {
  let more: readonly string[] = [];
  try {
    const made = make();
    if (found.length === 0) return made;
  } catch (error) {
    if (!isJoinError(error) || error.code !== 'E_INPUT') throw error;
    more = (error.facts as { problems: string[] }).problems;
  }
  throw fail('E_INPUT', { problems: [...new Set([...found, ...more])] });
}
