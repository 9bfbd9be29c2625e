/** The values of a pipeline's inputs, each with its source. */
import type { Place } from '../../engine/kubeadm/index.ts';
import { flagName } from '../../engine/pipeline/flag-names.ts';
import { revealSecrets } from '../../engine/sdk/index.ts';
import type { OutputFormat } from './raw-flags.ts';

/** From the weakest to the strongest: a value of a later kind wins. */
export type Source =
  | { kind: 'default' }
  /** The machine's own configuration or, above it, a kubeadm configuration file: file, line, column, field. */
  | { kind: 'config'; place: Place }
  | { kind: 'variable'; name: string }
  | { kind: 'flag'; name: string };

export interface Value {
  /** Plain data, in which tokens may be `Secret`s. */
  value: unknown;
  source: Source;
}

/** By name of the input. */
export type Values = Readonly<Record<string, Value>>;

/** The file that `--config` names. */
export interface ConfigFile {
  file: string;
  text: string;
  /** Warn about unknown or duplicate fields instead of failing. */
  lenient: boolean;
}

/** What `/etc/joinery/config.yaml` says. */
export interface MachineConfig {
  /** Of inputs. Any other source of a value wins over them. */
  values: Values;
  /** For a command line without `--env`. */
  environments: readonly { name: string; source: Source }[];
  output?: OutputFormat;
  color?: string;
}

export interface MergedInputs {
  values: Values;
  /** Whether a configuration file asks for a dry run. */
  dryRun: boolean;
  problems: readonly string[];
  notes: readonly string[];
}

/** Later layers win. */
export const overlaid = (...layers: readonly Values[]): Values => Object.assign({}, ...layers);

/** Without sources, and with secrets in clear text: never print it. */
export const plainValues = (values: Values): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, revealSecrets(value)]));

/** Names an input in a problem: by the place of its value, or by its flag. */
export const namedBy =
  (values: Values) =>
  (input: string): string =>
    sourceText(values[input]?.source ?? { kind: 'default' }, input);

export function sourceText(source: Source, input: string): string {
  switch (source.kind) {
    case 'config':
      return `${source.place.file}:${source.place.line}:${source.place.column}: ${source.place.field}`;
    case 'variable':
    case 'flag':
      return source.name;
    default:
      return flagName(input);
  }
}
