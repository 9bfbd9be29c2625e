/** `join run --config`: what a kubeadm configuration file says, below what was typed. */
import { loadJoinConfiguration, mixConfigAndFlags, mixingProblems } from '../../engine/kubeadm/index.ts';
import { fail, isJoinError, type Schema } from '../../engine/sdk/index.ts';
import { readConfigurationFile } from './config-documents.ts';
import type { Given } from './merge.ts';
import { layered, namedBy, plainValues, type Values } from './values.ts';

/** E_CONFIG with every problem of the file; E_INPUT where there are others besides. */
export async function withConfiguration(
  { file, lenient }: { file: string; lenient: boolean },
  inputs: Schema,
  over: Values,
): Promise<Given> {
  const text = await readConfigurationFile(file);
  const [typed, named] = [plainValues(over), namedBy(over)];
  const configuration = loaded(file, text, lenient, mixingProblems(typed, named));
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
      ([, { place }]) =>
        `${place.file}:${place.line}:${place.column}: ${place.field}: this pipeline has no input for it`,
    );
  return {
    values: layered(Object.fromEntries(below), Object.fromEntries(above)),
    dryRun: mixed.dryRun,
    problems: mixed.problems,
    notes: [...mixed.notes, ...unused],
  };
}

function loaded(file: string, text: string, lenient: boolean, problems: readonly string[]) {
  try {
    return loadJoinConfiguration(file === '-' ? 'standard input' : file, text, { lenient });
  } catch (error) {
    if (problems.length === 0 || !isJoinError(error) || error.code !== 'E_CONFIG') throw error;
    throw fail('E_INPUT', { problems: [...problems, ...error.message.split('\n')] });
  }
}
