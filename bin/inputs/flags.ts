/** JSON Schema → command-line flags and arguments. */
import { Args, Flags } from '@oclif/core';
import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import { isDuration } from '../../engine/documents/durations.ts';
import { kebabCase } from '../../engine/pipeline/flag-names.ts';
import { GATES_INPUT } from '../../engine/pipeline/gates.ts';
import { defined, type Gate, gateLine, type Schema } from '../../engine/sdk/index.ts';
import { listFlag } from './common-flags.ts';
import { flagProperties } from './flag-properties.ts';

/** One flag for each property that has a form on the command line. `gates` are those that `--feature-gates` lists. */
export function flagsFor(schema: Schema, gates: readonly Gate[] = []): FlagInput {
  return Object.fromEntries(
    flagProperties(schema)
      .filter(({ property }) => fitsFlag(property))
      .map(({ name, property }) => [
        kebabCase(name),
        flagFor(name === GATES_INPUT ? withGates(property, gates) : property),
      ]),
  );
}

/** One line for each gate, as in kubeadm's help. */
const withGates = (schema: Schema, gates: readonly Gate[]): Schema => ({
  ...schema,
  description: `${schema.description} Options are:\n${gates.map(gateLine).join('\n')}`,
});

function flagFor(schema: Schema): FlagInput[string] {
  const { type, description = '', items, default: value, 'x-group': helpGroup } = schema;
  const help = defined({ description: withDefault(description, value), helpGroup });
  if (type === 'boolean') return Flags.boolean(help);
  if (type === 'integer' || type === 'number') return Flags.integer(help);
  if (type === 'array' && items?.type === 'string') return Flags.string({ ...help, ...listFlag, helpValue: 'A,B' });
  return Flags.string({ ...help, helpValue: helpValueOf(schema) });
}

/** Options are only named, not enforced: the schema reports a wrong one together with all other problems. */
function helpValueOf({ type, enum: options, writeOnly, 'x-path': isPath, default: value }: Schema): string {
  if (type === 'object') return 'YAML|@FILE';
  if (options !== undefined) return options.join('|');
  if (writeOnly === true) return 'TEXT|@FILE|-';
  if (isPath === true) return 'PATH';
  return isDuration(value) ? 'TIME' : 'TEXT';
}

/**
 * `Timeout (kubeadm 5m)` → `Timeout (default 1m; kubeadm 5m)`.
 * If the default is an expression, the description itself explains it.
 */
function withDefault(description: string, value: unknown): string {
  if (value === undefined || value === false || String(value).includes('${{')) return description;
  const note = / \(([^()]*)\)$/.exec(description);
  if (note === null) return `${description} (default ${value})`;
  return `${description.slice(0, note.index)} (default ${value}; ${note[1]})`;
}

/** A list of mappings has no form on the command line; a mapping is typed as YAML. */
const fitsFlag = ({ type, items }: Schema): boolean => type !== 'array' || items?.type === 'string';
/** A variable holds one text, not a document. */
export const fitsVariable = (schema: Schema): boolean => schema.type !== 'object' && fitsFlag(schema);

/** The endpoint can be an argument without its flag, as in every `kubeadm join` line. */
export const argsFor = (schema: Schema): ArgInput =>
  schema.properties?.endpoint === undefined
    ? {}
    : { endpoint: Args.string({ ignoreStdin: true, description: schema.properties.endpoint.description ?? '' }) };
