/** Inputs from the environment: `JOINERY_TOKEN` is `--token`. */
import { kebabCase } from '../../engine/pipeline/flag-names.ts';
import { goBoolean, nearest, type Schema } from '../../engine/sdk/index.ts';
import { fitsVariable, textOrFile } from './flags.ts';
import type { Values } from './values.ts';

const PREFIX = 'JOINERY_';
/** What a machine below `--root` tells its own programs. */
const OWN = ['JOINERY_ROOT'];

export const variableName = (input: string): string =>
  `${PREFIX}${kebabCase(input).replaceAll('-', '_').toUpperCase()}`;

/** Empty variables say nothing, as with flags. Lists are separated by commas; `@FILE` is what is in that file. */
export function fromVariables(schema: Schema, environment: Readonly<Record<string, string | undefined>>) {
  const values: Record<string, Values[string]> = {};
  const problems: string[] = [];
  const properties = Object.entries(schema.properties ?? {}).filter(([, property]) => fitsVariable(property));
  for (const [input, property] of properties) {
    const name = variableName(input);
    const text = environment[name] ?? '';
    if (text === '') continue;
    const value = typedAs(property, textOrFile(text, name));
    if (value === undefined)
      problems.push(`${name} must be ${property.type === 'boolean' ? 'true or false' : 'a number'}`);
    else values[input] = { value, source: { kind: 'variable', name } };
  }
  const known = properties.map(([input]) => variableName(input));
  const strangers = Object.keys(environment).filter(
    (name) => name.startsWith(PREFIX) && ![...known, ...OWN].includes(name),
  );
  return {
    values,
    problems,
    notes: strangers.map((name) => `the variable ${name} is no input of this pipeline${meant(name, known)}`),
  };
}

/** They all begin alike, so what comes after that is compared. */
function meant(name: string, known: readonly string[]): string {
  const own = (each: string) => each.slice(PREFIX.length);
  const found = nearest(own(name), known.map(own));
  return found === undefined ? '' : `; did you mean ${PREFIX}${found}?`;
}

function typedAs({ type }: Schema, text: string): unknown {
  if (type === 'boolean') return goBoolean(text);
  if (type === 'integer' || type === 'number') return /^-?\d+$/.test(text) ? Number(text) : undefined;
  return type === 'array' ? text.split(',').map((item) => item.trim()) : text;
}
