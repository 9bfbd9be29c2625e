/** Inputs from environment variables: `JOINERY_TOKEN` is `--token`. */
import { kebabCase } from '../../engine/pipeline/flag-names.ts';
import { goBoolean, nearest, type Schema } from '../../engine/sdk/index.ts';
import { tidied } from '../../engine/sdk/schema.ts';
import { textOrFile } from './arguments.ts';
import { fitsVariable } from './flags.ts';
import { visibleText } from './pasted.ts';
import type { Values } from './values.ts';

const PREFIX = 'JOINERY_';
/** Set by Joinery itself for the programs of a machine below `--root`. */
const RESERVED = ['JOINERY_ROOT'];

export const variableName = (input: string): string =>
  `${PREFIX}${kebabCase(input).replaceAll('-', '_').toUpperCase()}`;

/** An empty variable counts as unset. Lists are separated by commas; `@FILE` stands for the content of that file. */
export function valuesOfVariables(schema: Schema, environment: Readonly<Record<string, string | undefined>>) {
  const values: Record<string, Values[string]> = {};
  const problems: string[] = [];
  const properties = Object.entries(schema.properties ?? {}).filter(([, property]) => fitsVariable(property));
  for (const [input, property] of properties) {
    const name = variableName(input);
    const text = visibleText(environment[name] ?? '');
    if (text === '') continue;
    const value = parsed(property, textOrFile(text, name));
    if (value === undefined)
      problems.push(`${name} must be ${property.type === 'boolean' ? 'true or false' : 'a number'}`);
    else values[input] = { value: tidied(property, value), source: { kind: 'variable', name } };
  }
  const known = properties.map(([input]) => variableName(input));
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith(PREFIX) && ![...known, ...RESERVED].includes(name),
  );
  return {
    values,
    problems,
    notes: unknown.map((name) => `the variable ${name} is not an input of this pipeline${suggestion(name, known)}`),
  };
}

/** Compares the names without their common prefix, which would make all of them look alike. */
function suggestion(name: string, known: readonly string[]): string {
  const rest = (each: string) => each.slice(PREFIX.length);
  const found = nearest(rest(name), known.map(rest));
  return found === undefined ? '' : `; did you mean ${PREFIX}${found}?`;
}

function parsed({ type }: Schema, text: string): unknown {
  if (type === 'boolean') return goBoolean(text);
  if (type === 'integer' || type === 'number') return /^-?\d+$/.test(text) ? Number(text) : undefined;
  return type === 'array' ? text.split(',').map((item) => item.trim()) : text;
}
