/** Converts flags and arguments to values of inputs. */
import { resolve } from 'node:path';
import { reasonOf } from '../../engine/limits/errno.ts';
import { flagName, kebabCase } from '../../engine/pipeline/flag-names.ts';
import { fail, type Schema } from '../../engine/sdk/index.ts';
import { tidied } from '../../engine/sdk/schema.ts';
import { readYaml } from '../../engine/sdk/yaml.ts';
import { type FlagProperty, flagProperties } from './flag-properties.ts';
import { readText, readTextFile } from './read-text.ts';
import { askForSecret, isInteractive } from './terminal.ts';
import type { Values } from './values.ts';

export interface ParsedArguments {
  flags: Readonly<Record<string, unknown>>;
  args?: Readonly<Record<string, unknown>>;
  /** Flags that were set to false. */
  off?: readonly string[];
  /** Flags, not of inputs, that read standard input. */
  stdinReaders?: readonly string[];
}

/** More than any list of kubelet arguments has. */
const TOKENS_MAX = 30_000;

interface TypedInput extends FlagProperty {
  value: unknown;
}

/**
 * The values that were typed for the properties of `schema`; like kubeadm, it treats an empty value as absent.
 * E_INPUT if a file cannot be read, or two flags read standard input.
 */
export async function typedValues(schema: Schema, parsed: ParsedArguments): Promise<Values> {
  const inputs = typedInputs(schema, parsed);
  const readers = [...(parsed.stdinReaders ?? []), ...inputs.filter(isPiped).map(({ name }) => flagName(name))];
  if (readers.length > 1)
    throw fail('E_INPUT', { problems: [`only one of ${readers.join(' and ')} can read standard input`] });
  const values: Record<string, Values[string]> = {};
  for (const typed of inputs) {
    const { name, mapping } = typed;
    const source = { kind: 'flag', name: flagName(name) } as const;
    const value = await contentOf(typed, source.name);
    if (mapping === undefined) values[name] = { value, source };
    else values[mapping] = { value: { ...(values[mapping]?.value ?? {}), [name]: value }, source };
  }
  return values;
}

const typedInputs = (schema: Schema, { flags, args = {}, off = [] }: ParsedArguments): TypedInput[] =>
  flagProperties(schema).flatMap((property) => {
    const flag = kebabCase(property.name);
    const value = flags[flag] ?? (off.includes(flag) ? false : args[property.name]);
    return value === undefined || value === '' ? [] : [{ ...property, value }];
  });

const isPiped = ({ property, value }: TypedInput): boolean => property.writeOnly === true && value === '-';

async function contentOf(typed: TypedInput, name: string): Promise<unknown> {
  const { property, value } = typed;
  const read = () => (typeof value === 'string' ? textOrFile(value, name) : value);
  const content = isPiped(typed) ? await secretFromStdin(name) : read();
  return property.type === 'object' ? documentIn(String(content), name) : tidied(property, content);
}

function documentIn(text: string, name: string): unknown {
  const { value, errors } = readYaml(text, { dialect: 'core', tokensMax: TOKENS_MAX });
  if (errors.length === 0) return value;
  throw fail('E_INPUT', { problems: errors.map(({ message }) => `${name} is not valid YAML: ${message}`) });
}

const secretFromStdin = async (name: string): Promise<string> =>
  isInteractive() ? askForSecret(name) : (await readText('-')).trim();

/** `@path` stands for the content of that file, so that keys and tokens stay off the command line. */
export function textOrFile(text: string, name: string): string {
  if (!text.startsWith('@')) return text;
  try {
    return readTextFile(text.slice(1)).trimEnd();
  } catch (error) {
    throw fail('E_INPUT', { problems: [`${name} ${text}: ${reasonOf(error)}`] }, error);
  }
}

/** Resolves relative paths against the working directory or, with another root, against that root. */
export function withAbsolutePaths({ properties = {} }: Schema, values: Record<string, unknown>, root: string) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      properties[name]?.['x-path'] === true && typeof value === 'string' ? absolutePath(value, root) : value,
    ]),
  );
}

function absolutePath(path: string, root: string): string {
  if (path.startsWith('/') || /^[a-z]+:/i.test(path)) return path;
  return root === '/' ? resolve(path) : `/${path}`;
}
