/** JSON Schema → command line flags, and what was typed → values: the one place where a schema becomes a command line. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import { isDuration } from '../../engine/documents/durations.ts';
import { GATES_INPUT } from '../../engine/pipeline/gates.ts';
import { flagName, kebab } from '../../engine/pipeline/plan.ts';
import { fail, gateLine, parseYaml, type Schema } from '../../engine/sdk/index.ts';
import { isAnybodyThere, typedSecret } from '../ask.ts';
import { registry } from '../compose.ts';
import { readText } from '../sources.ts';
import type { Values } from './values.ts';

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

/** One flag for each property of an object schema that can be typed. */
export function flagsFor(schema: Schema): FlagInput {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {})
      .filter(([, property]) => isTypeable(property))
      .map(([name, property]) => [kebab(name), flagFor(name === GATES_INPUT ? withGates(property) : property)]),
  );
}

/** As in kubeadm's help: a line for each gate there is. */
const withGates = (schema: Schema): Schema => ({
  ...schema,
  description: `${schema.description} Options are:\n${registry().gates().map(gateLine).join('\n')}`,
});

function flagFor(schema: Schema): FlagInput[string] {
  const { type, description = '', items, default: value, 'x-group': helpGroup } = schema;
  const shown = {
    description: `${description}${defaultText(value)}`,
    ...(helpGroup === undefined ? {} : { helpGroup }),
  };
  if (type === 'boolean') return Flags.boolean(shown);
  if (type === 'integer' || type === 'number') return Flags.integer(shown);
  if (type === 'array' && items?.type === 'string') return Flags.string({ ...shown, ...listed, helpValue: 'A,B' });
  return Flags.string({ ...shown, helpValue: helpValueOf(schema) });
}

/** What it may be is said with all other problems, so oclif is only told for the help. */
function helpValueOf({ type, enum: options, writeOnly, 'x-path': isPath, default: value }: Schema): string {
  if (type === 'object') return 'YAML|@FILE';
  if (options !== undefined) return options.join('|');
  if (writeOnly === true) return 'TEXT|@FILE|-';
  if (isPath === true) return 'PATH';
  return isDuration(value) ? 'TIME' : 'TEXT';
}

/** Where the default is a hole, its description says what it is. */
const defaultText = (value: unknown): string =>
  value === undefined || String(value).includes('${{') ? '' : `; left out: ${value}`;

/** Lists of mappings have no form for a command line; a mapping is typed as YAML. */
const isTypeable = ({ type, items }: Schema): boolean => type !== 'array' || items?.type === 'string';
/** A variable is one text, and no document. */
export const fitsVariable = (schema: Schema): boolean => schema.type !== 'object' && isTypeable(schema);

/** The endpoint may stand without its flag, as in every `kubeadm join` line. */
export const argsFor = (schema: Schema): ArgInput =>
  schema.properties?.endpoint === undefined
    ? {}
    : { endpoint: Args.string({ ignoreStdin: true, description: schema.properties.endpoint.description ?? '' }) };

/**
 * The values of a schema's properties, as they were typed; absent and empty ones are left out, as kubeadm has it. `off` are names
 * of flags that were set to false. E_INPUT where a file cannot be read, or two values are to come from standard input.
 */
export async function typedValues(
  schema: Schema,
  flags: Readonly<Record<string, unknown>>,
  args: Readonly<Record<string, unknown>>,
  { off = [], takesStdin = [] }: { off?: readonly string[]; takesStdin?: readonly string[] } = {},
): Promise<Values> {
  const given = Object.entries(schema.properties ?? {}).flatMap(([input, property]) => {
    const flag = kebab(input);
    const value = flags[flag] ?? (off.includes(flag) ? false : args[input]);
    return value === undefined || value === '' ? [] : [{ input, property, value }];
  });
  const isPiped = ({ property, value }: (typeof given)[number]) => property.writeOnly === true && value === '-';
  const readers = [...takesStdin, ...given.filter(isPiped).map(({ input }) => flagName(input))];
  if (readers.length > 1)
    throw fail('E_INPUT', { problems: [`standard input can be read once, and ${readers.join(' and ')} want it`] });
  const values: Record<string, Values[string]> = {};
  for (const item of given) {
    const name = flagName(item.input);
    const { value } = item;
    const text = isPiped(item) ? await secretFromStdin(name) : value;
    const source = { kind: 'flag', name } as const;
    const read = typeof value === 'string' && text === value ? textOrFile(value, name) : text;
    values[item.input] = { value: item.property.type === 'object' ? documentIn(String(read), name) : read, source };
  }
  return values;
}

function documentIn(text: string, name: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw fail('E_INPUT', { problems: [`${name} is no YAML: ${(error as Error).message}`] }, error);
  }
}

const secretFromStdin = async (name: string): Promise<string> =>
  isAnybodyThere() ? typedSecret(name) : (await readText('-')).trim();

/** `@path` stands for what is in that file: keys, certificates and tokens need not stand on a command line. `name` is whose value it is. */
export function textOrFile(text: string, name: string): string {
  if (!text.startsWith('@')) return text;
  try {
    return readFileSync(text.slice(1), 'utf8').trimEnd();
  } catch (error) {
    throw fail('E_INPUT', { problems: [`${name} ${text}: ${(error as Error).message}`] }, error);
  }
}

/** Paths that were given relative begin where the command was typed; below another root, at that root. */
const absolutePath = (path: string, root: string): string =>
  path.startsWith('/') || /^[a-z]+:/i.test(path) ? path : root === '/' ? resolve(path) : `/${path}`;

export function withAbsolutePaths({ properties = {} }: Schema, given: Record<string, unknown>, root: string) {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      properties[name]?.['x-path'] === true && typeof value === 'string' ? absolutePath(value, root) : value,
    ]),
  );
}
