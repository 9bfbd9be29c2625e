/** JSON Schema → command line flags, and what was typed → values: the one place where a schema becomes a command line. */
import { readFileSync } from 'node:fs';
import { Args, Flags } from '@oclif/core';
import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import { GATES_INPUT } from '../engine/pipeline/gates.ts';
import { kebab } from '../engine/pipeline/plan.ts';
import { fail, gateLine, parseYaml, type Schema } from '../engine/sdk/index.ts';
import { registry } from './compose.ts';

/** Flags of every command that runs something. */
export const runFlags = {
  'dry-run': Flags.boolean({ description: 'Show what would be done: reads are real, nothing is changed' }),
  'on-failure': Flags.option({
    options: ['keep', 'undo'] as const,
    description:
      'When it fails or is stopped: keep what was done, or undo it. Left out: a failed run is kept, a stopped one is undone',
  })(),
  plugin: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'DIR',
    description: 'Use the phases of the plugin in this folder too; may be given again',
  }),
  root: Flags.string({
    default: '/',
    helpValue: 'DIR',
    description: 'The machine is what lies below this directory; needs no privilege',
  }),
  output: Flags.option({
    options: ['text', 'json'] as const,
    default: 'text',
    description: 'Form of the result on standard output',
  })(),
};

export const envFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'NAME|FILE',
  description:
    'What is laid over the pipeline where it runs; several, the later over the earlier. environments/ has those that ship',
});

/** What was typed for a flag that decides which flags there are, and so is needed before they are parsed. */
export const typedFor = (flag: string, argv: readonly string[]): string[] =>
  argv.flatMap((word, index) => {
    if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
    const next = argv[index + 1];
    return word === flag && next !== undefined ? [next] : [];
  });

/** A flag with several values: by commas, or given again. */
export const listed = { multiple: true, multipleNonGreedy: true, delimiter: ',' } as const;

/** One flag for each property of an object schema. */
export function flagsFor(schema: Schema): FlagInput {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, property]) => [
      kebab(name),
      flagFor(name === GATES_INPUT ? withGates(property) : property),
    ]),
  );
}

/** As in kubeadm's help: a line for each gate there is. */
const withGates = (schema: Schema): Schema => ({
  ...schema,
  description: `${schema.description} Options are:\n${registry().gates().map(gateLine).join('\n')}`,
});

function flagFor({ type, description = '', enum: options, items }: Schema): FlagInput[string] {
  if (type === 'boolean') return Flags.boolean({ description });
  if (type === 'integer' || type === 'number') return Flags.integer({ description });
  if (type === 'array' && items?.type === 'string') return Flags.string({ description, ...listed, helpValue: 'A,B' });
  if (type === 'object')
    return Flags.custom<unknown>({
      description,
      helpValue: 'YAML|@FILE',
      parse: async (text) => documentIn(await textOrFile(text)),
    })();
  return Flags.string({
    description,
    // What it may be is said with all other problems, so oclif is only told for the help.
    ...(options === undefined ? {} : { helpValue: options.join('|') }),
    parse: textOrFile,
  });
}

/** What is no text is given as YAML. */
function documentIn(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw fail('E_INPUT', { problems: [`a value is no YAML: ${(error as Error).message}`] }, error);
  }
}

/** `@path` stands for what is in that file: keys, certificates and tokens need not stand on a command line. */
export const textOrFile = async (text: string): Promise<string> =>
  text.startsWith('@') ? fileContent(text.slice(1)) : text;

function fileContent(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    throw fail('E_INPUT', { problems: [`@${path}: ${(error as Error).message}`] }, error);
  }
}

/** The endpoint may stand without its flag, as in every `kubeadm join` line. */
export const argsFor = (schema: Schema): ArgInput =>
  schema.properties?.endpoint === undefined
    ? {}
    : { endpoint: Args.string({ ignoreStdin: true, description: schema.properties.endpoint.description ?? '' }) };

/** The values of a schema's properties, as they were typed; absent ones are left out. */
export function valuesOf(schema: Schema, flags: Record<string, unknown>, args: Record<string, unknown>) {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(schema.properties ?? {})) {
    const value = flags[kebab(name)] ?? args[name];
    if (value !== undefined) values[name] = value;
  }
  return values;
}
