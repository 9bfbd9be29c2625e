/** Explains where every value of a resolved pipeline comes from, and which values it replaced. */

import type { Place } from '../documents/place.ts';
import { DEFAULT_TIMEOUT, type PlannedStep } from '../pipeline/planned-step.ts';
import type { Schema } from '../sdk/schema.ts';
import { isSecret } from '../sdk/secret.ts';
import { idOf } from './steps.ts';
import { partOf, plainOf, type TrackedValue } from './tracked.ts';

export type Origin =
  | { kind: 'file'; file: string; line: number; column: number }
  | { kind: 'flag' | 'variable'; name: string }
  /** No file, flag or variable sets the value. */
  | { kind: 'default'; of: string };

export interface ExplainedValue {
  /** Such as `steps.kubelet-start.timeout`: steps by id, items of other lists by index. */
  path: readonly string[];
  /** A scalar, or an empty list or mapping. A secret is `***`. */
  value: unknown;
  origin: Origin;
  /** The values it replaced, latest first. */
  over: readonly { value: unknown; origin: Origin }[];
}

/** The value that a run has for an input. */
export interface InputValue {
  value: unknown;
  origin: Origin;
}

const HIDDEN = '***';

function childrenOf(tracked: TrackedValue, path: readonly string[]): { name: string; value: TrackedValue }[] {
  if (tracked.kind === 'map') return [...tracked.entries].map(([name, { value }]) => ({ name, value }));
  if (tracked.kind !== 'list') return [];
  return tracked.items.map((value, index) => ({ name: nameOf(path, value, index), value }));
}

/** Every leaf of the resolved pipeline. */
export function leavesOf(
  tracked: TrackedValue,
  path: readonly string[] = [],
  over: readonly TrackedValue[] = [],
): ExplainedValue[] {
  const before = [...(tracked.replaced === undefined ? [] : chainOf(tracked.replaced)), ...over];
  const children = childrenOf(tracked, path);
  if (children.length > 0)
    return children.flatMap(({ name, value }) =>
      leavesOf(
        value,
        [...path, name],
        before.flatMap((each) => partOf(each, name) ?? []),
      ),
    );
  return [
    {
      path,
      value: plainOf(tracked),
      origin: fileOrigin(tracked.place),
      over: before.map((each) => ({ value: plainOf(each), origin: fileOrigin(each.place) })),
    },
  ];
}

const chainOf = (tracked: TrackedValue): TrackedValue[] => [
  tracked,
  ...(tracked.replaced === undefined ? [] : chainOf(tracked.replaced)),
];

const nameOf = (path: readonly string[], item: TrackedValue, index: number): string =>
  (path.length === 1 && ['steps', 'finally'].includes(path[0] ?? '') ? idOf(item) : undefined) ?? String(index);

export const fileOrigin = ({ file, line, column }: Place): Origin => ({ kind: 'file', file, line, column });

export interface ExplainOptions {
  tracked: TrackedValue;
  inputs: Readonly<Record<string, Schema>>;
  steps: readonly PlannedStep[];
  finally?: readonly PlannedStep[];
  /** Values that come from flags, variables or a configuration file. */
  values: Readonly<Record<string, InputValue>>;
  /** The defaults of the inputs on this machine. */
  defaults: Readonly<Record<string, unknown>>;
}

/** Every value that a run would have: inputs (as `values`), values of the files, and implied defaults. */
export function explainPipeline({
  tracked,
  inputs,
  steps,
  finally: last = [],
  values,
  defaults,
}: ExplainOptions): ExplainedValue[] {
  const all = [...steps, ...last];
  const isSecretAt = ([first, second, third, fourth]: readonly string[]): boolean => {
    if (first === 'inputs') return fourth === 'default' && inputs[third ?? '']?.writeOnly === true;
    const phase = third === 'with' ? all.find(({ id }) => id === second)?.phase : undefined;
    return phase?.input.properties?.[fourth ?? '']?.writeOnly === true;
  };
  const leaves = leavesOf(tracked);
  const rows = [
    ...inputRows(tracked, inputs, values, defaults),
    ...leaves,
    ...defaultRows(leaves, 'steps', steps),
    ...defaultRows(leaves, 'finally', last),
  ];
  return rows.map((row) => (isSecretAt(row.path) ? mask(row) : row));
}

/** A placeholder stays readable: it names the source of a secret, but not its value. */
const mask = (row: ExplainedValue): ExplainedValue => ({
  ...row,
  value: typeof row.value === 'string' && row.value.includes('${{') ? row.value : HIDDEN,
  over: row.over.map((each) => ({ ...each, value: HIDDEN })),
});

function inputRows(
  tracked: TrackedValue,
  inputs: ExplainOptions['inputs'],
  values: ExplainOptions['values'],
  defaults: ExplainOptions['defaults'],
): ExplainedValue[] {
  const properties = partOf(partOf(tracked, 'inputs'), 'properties');
  return Object.entries(inputs).flatMap(([name, { writeOnly }]): ExplainedValue[] => {
    const fileDefault = partOf(partOf(properties, name), 'default');
    const chain = (fileDefault === undefined ? [] : chainOf(fileDefault)).map((each, index) => ({
      value: index === 0 ? defaults[name] : plainOf(each),
      origin: fileOrigin(each.place),
    }));
    const set = values[name];
    const [first, ...over] = set === undefined ? chain : [set, ...chain];
    if (first === undefined) return [];
    const isHidden = writeOnly === true || isSecret(first.value);
    return [{ path: ['values', name], ...first, value: isHidden ? HIDDEN : first.value, over }];
  });
}

/** The values that steps have by default: those of the pipeline, of Joinery, and of their phases. */
function defaultRows(
  leaves: readonly ExplainedValue[],
  section: string,
  steps: readonly PlannedStep[],
): ExplainedValue[] {
  const key = (path: readonly string[]) => JSON.stringify(path);
  const explicit = new Set(leaves.flatMap(({ path }) => path.map((_, index) => key(path.slice(0, index + 1)))));
  const general = leaves.filter(({ path }) => path[0] === 'defaults' && ['timeout', 'retry'].includes(path[1] ?? ''));
  return steps.flatMap(({ id, phase }) => {
    const at = (...path: string[]) => [section, id, ...path];
    const byDefault = (of: string, value: unknown, ...path: string[]): ExplainedValue => ({
      path: at(...path),
      value,
      origin: { kind: 'default', of },
      over: [],
    });
    const inherited = [
      ...general.map((leaf) => ({ ...leaf, path: at(...leaf.path.slice(1)) })),
      ...(explicit.has(key(['defaults', 'timeout'])) ? [] : [byDefault('Joinery', DEFAULT_TIMEOUT, 'timeout')]),
      ...Object.entries(phase.input.properties ?? {})
        .filter(([, schema]) => schema.default !== undefined)
        .map(([name, schema]) => byDefault(`phase ${phase.name}`, schema.default, 'with', name)),
    ];
    return inherited.filter(({ path }) => !explicit.has(key(path)));
  });
}

/**
 * The file of the environment that inserted or replaced a step, by the ID of the step. `files` are those of the
 * pipeline.
 */
export function stepEnvironments(files: readonly string[], tracked: TrackedValue): Map<string, string> {
  const sections = ['steps', 'finally'].flatMap((key) => {
    const section = partOf(tracked, key);
    return section?.kind === 'list' ? section.items : [];
  });
  return new Map(
    sections.flatMap((step): [string, string][] =>
      files.includes(step.place.file) ? [] : [[idOf(step) ?? '', step.place.file]],
    ),
  );
}
