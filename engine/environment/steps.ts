/** Inserts, removes and replaces steps of a pipeline, and keeps their `needs` consistent. */
import type { Place } from '../documents/place.ts';
import {
  type List,
  type Mapping,
  partOf,
  replacing,
  type Scalar,
  type TrackedValue,
  textAt,
  withEntry,
} from './tracked.ts';

export const idOf = (step: TrackedValue | undefined): string | undefined => textAt(step, 'id');

/** Adds the default `needs`, the step before, to every step without `needs`. */
export function withNeeds(steps: List): List {
  const items = steps.items.map((step, index) => {
    const before = partOf(steps.items[index - 1], 'id');
    if (step.kind !== 'map' || step.entries.has('needs')) return step;
    return withEntry(step, 'needs', { kind: 'list', place: step.place, items: before === undefined ? [] : [before] });
  });
  return { ...steps, items };
}

/** An item of `needs` is the id, or a mapping with the key `id`. */
const isNeedOf = (need: TrackedValue, id: string): boolean =>
  need.kind === 'scalar' ? need.value === id : textAt(need, 'id') === id;

export const needsOf = (step: TrackedValue): readonly TrackedValue[] => {
  const needs = partOf(step, 'needs');
  return needs?.kind === 'list' ? needs.items : [];
};

const withNeedsSet = (step: Mapping, needs: readonly TrackedValue[], place: Place): Mapping => {
  const names = new Map(
    needs.map((need) => [need.kind === 'scalar' ? String(need.value) : (textAt(need, 'id') ?? ''), need]),
  );
  const existing = partOf(step, 'needs');
  const items = [...names.values()];
  return withEntry(step, 'needs', existing?.kind === 'list' ? { ...existing, items } : { kind: 'list', place, items });
};

/** Changes the steps that are mappings. The schema reports the others later. */
const mapSteps = (steps: List, change: (step: Mapping) => Mapping): List => ({
  ...steps,
  items: steps.items.map((step) => (step.kind === 'map' ? change(step) : step)),
});

const insertAt = (steps: List, index: number, step: TrackedValue): List => ({
  ...steps,
  items: [...steps.items.slice(0, index), step, ...steps.items.slice(index)],
});

const idNode = (step: Mapping): Scalar => {
  const id = partOf(step, 'id');
  return id?.kind === 'scalar' ? id : { kind: 'scalar', place: step.place, value: '' };
};

/** The new step needs the anchor. Steps that needed the anchor also need the new step. */
export function insertAfter(steps: List, index: number, step: Mapping): List {
  const anchor = steps.items[index];
  const id = idOf(anchor) ?? '';
  const dependents = mapSteps(steps, (other) =>
    needsOf(other).some((need) => isNeedOf(need, id))
      ? withNeedsSet(other, [...needsOf(other), idNode(step)], other.place)
      : other,
  );
  const name = anchor?.kind === 'map' ? [idNode(anchor)] : [];
  return insertAt(dependents, index + 1, withNeedsSet(step, name, step.place));
}

/** The new step takes over the needs of the anchor, and the anchor needs the new step. */
export function insertBefore(steps: List, index: number, step: Mapping): List {
  const anchor = steps.items[index];
  if (anchor?.kind !== 'map') return steps;
  const dependents = mapSteps(steps, (other) =>
    other === anchor ? withNeedsSet(anchor, [idNode(step)], anchor.place) : other,
  );
  return insertAt(dependents, index, withNeedsSet(step, needsOf(anchor), step.place));
}

/** Steps without needs need the new step. */
export function insertAtStart(steps: List, step: Mapping): List {
  const dependents = mapSteps(steps, (other) =>
    needsOf(other).length === 0 ? withNeedsSet(other, [idNode(step)], other.place) : other,
  );
  return insertAt(dependents, 0, withNeedsSet(step, [], step.place));
}

/** The new step needs every step that no other step needs. */
export function insertAtEnd(steps: List, step: Mapping): List {
  const needed = steps.items.flatMap(needsOf);
  const last = steps.items.flatMap((other) =>
    other.kind === 'map' && !needed.some((need) => isNeedOf(need, idOf(other) ?? '')) ? [idNode(other)] : [],
  );
  return insertAt(steps, steps.items.length, withNeedsSet(step, last, step.place));
}

/** Steps that needed the removed step inherit its needs. */
export function removeAt(steps: List, index: number): List {
  const removed = steps.items[index];
  if (removed === undefined) return steps;
  const id = idOf(removed) ?? '';
  return mapSteps({ ...steps, items: steps.items.filter((step) => step !== removed) }, (step) =>
    needsOf(step).some((need) => isNeedOf(need, id))
      ? withNeedsSet(
          step,
          needsOf(step).flatMap((need) => (isNeedOf(need, id) ? needsOf(removed) : [need])),
          step.place,
        )
      : step,
  );
}

/** The replacement keeps the id, and also the needs unless it has its own. */
export function replaceAt(steps: List, index: number, step: Mapping): List {
  const before = steps.items[index];
  const id = partOf(before, 'id');
  const needs = partOf(before, 'needs');
  let next = replacing(step, before);
  for (const [name, { value }] of step.entries) next = withEntry(next, name, replacing(value, partOf(before, name)));
  if (id !== undefined) next = withEntry(next, 'id', id);
  if (needs !== undefined && !step.entries.has('needs')) next = withEntry(next, 'needs', needs);
  return { ...steps, items: steps.items.map((other) => (other === before ? next : other)) };
}
