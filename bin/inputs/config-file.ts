/** `join run --config`: the values of a kubeadm configuration file. Flags and variables override them. */
import {
  asksForControlPlane,
  loadJoinConfiguration,
  mixConfigAndFlags,
  mixingProblems,
} from '../../engine/kubeadm/index.ts';
import { fail, isJoinError, type Schema } from '../../engine/sdk/index.ts';
import { readConfigurationFile } from './config-documents.ts';
import { type ConfigFile, type MergedInputs, namedBy, overlaid, plainValues, type Values } from './values.ts';

/** `-` is standard input. E_CONFIG_FILE. */
export async function openConfigFile({
  file,
  lenient,
}: Omit<ConfigFile, 'text'>): Promise<ConfigFile & { isControlPlane: boolean }> {
  const text = await readConfigurationFile(file);
  return { file, lenient, text, isControlPlane: asksForControlPlane(text) };
}

/** E_CONFIG with every problem of the file; E_INPUT if flags or variables have problems too. */
export function mergeWithConfigFile(config: ConfigFile, inputs: Schema, over: Values): MergedInputs {
  const [typed, named] = [plainValues(over), namedBy(over)];
  const configuration = loadFile(config, mixingProblems(typed, named));
  const mixed = mixConfigAndFlags(configuration, typed, named);
  const isKnown = (name: string) => Object.hasOwn(inputs.properties ?? {}, name);
  const configured = Object.entries(mixed.configured);
  const below = configured
    .filter(([name]) => isKnown(name))
    .map(([name, { value, place }]): [string, Values[string]] => [name, { value, source: { kind: 'config', place } }]);
  const above = Object.entries(over)
    .filter(([name]) => Object.hasOwn(mixed.typed, name))
    .map(([name, { source }]): [string, Values[string]] => [name, { value: mixed.typed[name], source }]);
  const unused = configured
    .filter(([name]) => !isKnown(name))
    .map(
      ([, { place }]) => `${place.file}:${place.line}:${place.column}: ${place.field}: this pipeline has no such input`,
    );
  return {
    values: overlaid(Object.fromEntries(below), Object.fromEntries(above)),
    dryRun: mixed.dryRun,
    problems: mixed.problems,
    notes: [...mixed.notes, ...unused],
  };
}

function loadFile({ file, lenient, text }: ConfigFile, problems: readonly string[]) {
  try {
    return loadJoinConfiguration(file === '-' ? 'standard input' : file, text, { lenient });
  } catch (error) {
    if (problems.length === 0 || !isJoinError(error) || error.code !== 'E_CONFIG') throw error;
    throw fail('E_INPUT', { problems: [...problems, ...error.message.split('\n')] });
  }
}
