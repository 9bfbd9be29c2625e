/**
 * What each input is, and who said so. The layers, each over the one before: what the pipeline has for it, the file of
 * `--config`, JOINERY_… variables, flags. Whoever adds one gives it a kind here.
 */
import type { Place } from '../../engine/kubeadm/index.ts';
import { flagName } from '../../engine/pipeline/plan.ts';
import { revealSecrets } from '../../engine/sdk/index.ts';

export type Source =
  | { kind: 'default' }
  /** Of a kubeadm configuration: file, line, column, and the field's name there. */
  | { kind: 'config'; place: Place }
  | { kind: 'variable'; name: string }
  | { kind: 'flag'; name: string };

export interface Value {
  /** Plain data, in which tokens may be `Secret`s. */
  value: unknown;
  source: Source;
}

/** By the names of inputs. */
export type Values = Readonly<Record<string, Value>>;

export const layered = (...layers: readonly Values[]): Values => Object.assign({}, ...layers);

/** Without their sources, and for nobody's eyes. */
export const plainValues = (values: Values): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, revealSecrets(value)]));

/** How problems name an input: where its value was given, or the flag for it. */
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
