/** Merges the values of a pipeline's inputs: flags override variables, and variables override a configuration file. */
import { fail, isJoinError, type Schema } from '../../engine/sdk/index.ts';
import { type ConfigFile, type MergedInputs, overlaid, type Values } from './values.ts';
import { valuesOfVariables } from './variables.ts';

/** `typed` are the values of flags and arguments. E_CONFIG. */
export async function mergeInputs(inputs: Schema, typed: Values, config?: ConfigFile): Promise<MergedInputs> {
  const variables = valuesOfVariables(inputs, process.env);
  const values = overlaid(variables.values, typed);
  if (config === undefined) return { ...variables, values, dryRun: false };
  const { mergeWithConfigFile } = await import('./config-file.ts'); // late, because most joins have no file
  const merged = mergeWithConfigFile(config, inputs, values);
  return {
    ...merged,
    problems: [...variables.problems, ...merged.problems],
    notes: [...variables.notes, ...merged.notes],
  };
}

/** Calls `make`. If there are `problems`, or `make` finds some, throws one E_INPUT with all of them. */
export function withProblems<T>(problems: readonly string[], make: () => T): T {
  let more: readonly string[] = [];
  try {
    const result = make();
    if (problems.length === 0) return result;
  } catch (error) {
    if (!isJoinError(error) || error.code !== 'E_INPUT') throw error;
    more = (error.facts as { problems: string[] }).problems;
  }
  throw fail('E_INPUT', { problems: [...new Set([...problems, ...more])] });
}
