/** Where every value of a resolved pipeline comes from, and what it took the place of. */

import type { Place } from '../documents/place.ts';
import { DEFAULT_TIMEOUT, type PlannedStep } from '../pipeline/check.ts';
import type { Schema } from '../sdk/schema.ts';
import { isSecret } from '../sdk/secret.ts';
import { idOf } from './steps.ts';
import { partOf, plainOf, type Tracked } from './tracked.ts';

export type Origin =
  | { kind: 'file'; file: string; line: number; column: number }
  | { kind: 'flag' | 'variable'; name: string }
  /** Nobody has said anything. */
  | { kind: 'default'; of: string };

export interface Explained {
  /** `steps.kubelet-start.timeout`: steps by their ids, and items of other lists by their places, from 0. */
  path: readonly string[];
  /** A scalar, or an empty list or mapping. Secrets are `***`. */
  value: unknown;
  origin: Origin;
  /** The last one first. */
  over: readonly { value: unknown; origin: Origin }[];
}

/** A value that was given with the run. */
export interface Given {
  value: unknown;
  origin: Origin;
}

export const HIDDEN = '***';

/** Every leaf of the resolved pipeline. */
export function leavesOf(tracked: Tracked, path: readonly string[] = [], over: readonly Tracked[] = []): Explained[] {
  const before = [...(tracked.over === undefined ? [] : chainOf(tracked.over)), ...over];
  const children =
    tracked.kind === 'map'
      ? [...tracked.entries].map(([name, { value }]) => ({ name, value }))
      : tracked.kind === 'list'
        ? tracked.items.map((value, index) => ({ name: nameOf(path, value, index), value }))
        : [];
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
      origin: fileOf(tracked.place),
      over: before.map((each) => ({ value: plainOf(each), origin: fileOf(each.place) })),
    },
  ];
}

const chainOf = (tracked: Tracked): Tracked[] => [
  tracked,
  ...(tracked.over === undefined ? [] : chainOf(tracked.over)),
];

const nameOf = (path: readonly string[], item: Tracked, index: number): string =>
  (path.length === 1 && ['steps', 'finally'].includes(path[0] ?? '') ? idOf(item) : undefined) ?? String(index);

export const fileOf = ({ file, line, column }: Place): Origin => ({ kind: 'file', file, line, column });

export interface Explaining {
  tracked: Tracked;
  inputs: Readonly<Record<string, Schema>>;
  steps: readonly PlannedStep[];
  finally?: readonly PlannedStep[];
  /** What the inputs were given with the run. */
  given: Readonly<Record<string, Given>>;
  /** The defaults of the inputs, their holes filled. */
  defaults: Readonly<Record<string, unknown>>;
}

/** Every value that a run would have: of its inputs (`values`), and of the pipeline, also where nobody has said it. */
export function explained({ tracked, inputs, steps, finally: last = [], given, defaults }: Explaining): Explained[] {
  const all = [...steps, ...last];
  const isSecretAt = ([first, second, third, fourth]: readonly string[]): boolean => {
    if (first === 'inputs') return fourth === 'default' && inputs[third ?? '']?.writeOnly === true;
    const phase = third === 'with' ? all.find(({ id }) => id === second)?.phase : undefined;
    return phase?.input.properties?.[fourth ?? '']?.writeOnly === true;
  };
  const written = leavesOf(tracked);
  const rows = [
    ...valuesOf(tracked, inputs, given, defaults),
    ...written,
    ...unsaid(written, 'steps', steps),
    ...unsaid(written, 'finally', last),
  ];
  return rows.map((row) => (isSecretAt(row.path) ? hidden(row) : row));
}

/** A hole shows where a secret comes from, and nothing of it. */
const hidden = (row: Explained): Explained => ({
  ...row,
  value: typeof row.value === 'string' && row.value.includes('${{') ? row.value : HIDDEN,
  over: row.over.map((each) => ({ ...each, value: HIDDEN })),
});

function valuesOf(
  tracked: Tracked,
  inputs: Explaining['inputs'],
  given: Explaining['given'],
  defaults: Explaining['defaults'],
): Explained[] {
  const properties = partOf(partOf(tracked, 'inputs'), 'properties');
  return Object.entries(inputs).flatMap(([name, { writeOnly }]): Explained[] => {
    const written = partOf(partOf(properties, name), 'default');
    const chain = (written === undefined ? [] : chainOf(written)).map((each, index) => ({
      value: index === 0 ? defaults[name] : plainOf(each),
      origin: fileOf(each.place),
    }));
    const typed = given[name];
    const [first, ...over] = typed === undefined ? chain : [typed, ...chain];
    if (first === undefined) return [];
    const isHidden = writeOnly === true || isSecret(first.value);
    return [{ path: ['values', name], ...first, value: isHidden ? HIDDEN : first.value, over }];
  });
}

/** What steps have without saying it: the pipeline's defaults, Joinery's, and those of their phases. */
function unsaid(written: readonly Explained[], section: string, steps: readonly PlannedStep[]): Explained[] {
  const key = (path: readonly string[]) => JSON.stringify(path);
  const said = new Set(written.flatMap(({ path }) => path.map((_, index) => key(path.slice(0, index + 1)))));
  const general = written.filter(({ path }) => path[0] === 'defaults' && ['timeout', 'retry'].includes(path[1] ?? ''));
  return steps.flatMap(({ id, phase }) => {
    const at = (...path: string[]) => [section, id, ...path];
    const byDefault = (of: string, value: unknown, ...path: string[]): Explained => ({
      ...{ path: at(...path), value, over: [] },
      origin: { kind: 'default', of },
    });
    const inherited = [
      ...general.map((leaf) => ({ ...leaf, path: at(...leaf.path.slice(1)) })),
      ...(said.has(key(['defaults', 'timeout'])) ? [] : [byDefault('Joinery', DEFAULT_TIMEOUT, 'timeout')]),
      ...Object.entries(phase.input.properties ?? {})
        .filter(([, schema]) => schema.default !== undefined)
        .map(([name, schema]) => byDefault(`phase ${phase.name}`, schema.default, 'with', name)),
    ];
    return inherited.filter(({ path }) => !said.has(key(path)));
  });
}
