/**
 * Merges the values of a pipeline's inputs. Flags override variables, which override the file of --config, which
 * overrides the configuration of the machine.
 */
import { fail, isJoinError, type Schema } from '../../engine/sdk/index.ts';
import { type ConfigFile, type MachineConfig, type MergedInputs, overlaid, type Values } from './values.ts';
import { valuesOfVariables } from './variables.ts';

export interface InputSources {
  /** The values of flags and arguments. */
  typed: Values;
  config: ConfigFile | undefined;
  machine: MachineConfig;
}

/** E_CONFIG. */
export async function mergeInputs(inputs: Schema, { typed, config, machine }: InputSources): Promise<MergedInputs> {
  const merged = await mergeExplicit(inputs, typed, config);
  return { ...merged, values: overlaid(defaultsBelow(inputs, machine.values, merged.values), merged.values) };
}

/** How the cluster is found: with a token, or with a file. */
const BY_TOKEN = ['endpoint', 'token', 'discoveryToken', 'discoveryTokenCaCertHash'];
const BY_FILE = ['discoveryFile'];

/** The machine's values of inputs of this pipeline. The chosen way to find the cluster puts the other one aside. */
function defaultsBelow({ properties = {} }: Schema, defaults: Values, chosen: Values): Values {
  const isChosen = (name: string) => chosen[name] !== undefined;
  const others = [...(BY_TOKEN.some(isChosen) ? BY_FILE : []), ...(BY_FILE.some(isChosen) ? BY_TOKEN : [])];
  return Object.fromEntries(
    Object.entries(defaults).filter(([name]) => Object.hasOwn(properties, name) && !others.includes(name)),
  );
}

async function mergeExplicit(inputs: Schema, typed: Values, config?: ConfigFile): Promise<MergedInputs> {
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
