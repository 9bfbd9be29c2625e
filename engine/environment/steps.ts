/** The steps of a pipeline that is being patched, and who needs whom among them. */
import type { Place } from '../documents/place.ts';
import { type List, type Mapping, over, partOf, type Scalar, type Tracked, textAt, withEntry } from './tracked.ts';

export const idOf = (step: Tracked | undefined): string | undefined => textAt(step, 'id');

/** Every step with its `needs` written out: left out, they are the step before. */
export function withNeeds(steps: List): List {
  const items = steps.items.map((step, index) => {
    const before = partOf(steps.items[index - 1], 'id');
    if (step.kind !== 'map' || step.entries.has('needs')) return step;
    return withEntry(step, 'needs', { kind: 'list', place: step.place, items: before === undefined ? [] : [before] });
  });
  return { ...steps, items };
}

/** A name in `needs` is text, or a mapping with the name in `id`. */
const isFor = (need: Tracked, id: string): boolean =>
  need.kind === 'scalar' ? need.value === id : textAt(need, 'id') === id;

export const needsOf = (step: Tracked): readonly Tracked[] => {
  const needs = partOf(step, 'needs');
  return needs?.kind === 'list' ? needs.items : [];
};

const needing = (step: Mapping, needs: readonly Tracked[], place: Place): Mapping => {
  const names = new Map(
    needs.map((need) => [need.kind === 'scalar' ? String(need.value) : (textAt(need, 'id') ?? ''), need]),
  );
  const there = partOf(step, 'needs');
  const items = [...names.values()];
  return withEntry(step, 'needs', there?.kind === 'list' ? { ...there, items } : { kind: 'list', place, items });
};

/** Changes the steps that are mappings; the schema says later what is wrong with others. */
const each = (steps: List, change: (step: Mapping) => Mapping): List => ({
  ...steps,
  items: steps.items.map((step) => (step.kind === 'map' ? change(step) : step)),
});

const placed = (steps: List, index: number, step: Tracked): List => ({
  ...steps,
  items: [...steps.items.slice(0, index), step, ...steps.items.slice(index)],
});

const nameOf = (step: Mapping): Scalar => {
  const id = partOf(step, 'id');
  return id?.kind === 'scalar' ? id : { kind: 'scalar', place: step.place, value: '' };
};

/** It needs the anchor, and whoever needed the anchor needs it too. */
export function insertAfter(steps: List, index: number, step: Mapping): List {
  const anchor = steps.items[index];
  const id = idOf(anchor) ?? '';
  const waiting = each(steps, (other) =>
    needsOf(other).some((need) => isFor(need, id))
      ? needing(other, [...needsOf(other), nameOf(step)], other.place)
      : other,
  );
  const name = anchor?.kind === 'map' ? [nameOf(anchor)] : [];
  return placed(waiting, index + 1, needing(step, name, step.place));
}

/** It takes the needs of the anchor, which needs it. */
export function insertBefore(steps: List, index: number, step: Mapping): List {
  const anchor = steps.items[index];
  if (anchor?.kind !== 'map') return steps;
  const waiting = each(steps, (other) => (other === anchor ? needing(anchor, [nameOf(step)], anchor.place) : other));
  return placed(waiting, index, needing(step, needsOf(anchor), step.place));
}

/** Whoever needed nothing needs it. */
export function insertAtStart(steps: List, step: Mapping): List {
  const waiting = each(steps, (other) =>
    needsOf(other).length === 0 ? needing(other, [nameOf(step)], other.place) : other,
  );
  return placed(waiting, 0, needing(step, [], step.place));
}

/** It needs whatever nobody needs. */
export function insertAtEnd(steps: List, step: Mapping): List {
  const needed = steps.items.flatMap(needsOf);
  const last = steps.items.flatMap((other) =>
    other.kind === 'map' && !needed.some((need) => isFor(need, idOf(other) ?? '')) ? [nameOf(other)] : [],
  );
  return placed(steps, steps.items.length, needing(step, last, step.place));
}

/** Whoever needed it inherits its needs, in its place. */
export function removeAt(steps: List, index: number): List {
  const gone = steps.items[index];
  if (gone === undefined) return steps;
  const id = idOf(gone) ?? '';
  const left = each({ ...steps, items: steps.items.filter((step) => step !== gone) }, (step) =>
    needsOf(step).some((need) => isFor(need, id))
      ? needing(
          step,
          needsOf(step).flatMap((need) => (isFor(need, id) ? needsOf(gone) : [need])),
          step.place,
        )
      : step,
  );
  return left;
}

/** Its id stays, and its needs where the other has none of its own. */
export function replaceAt(steps: List, index: number, step: Mapping): List {
  const before = steps.items[index];
  const id = partOf(before, 'id');
  const needs = partOf(before, 'needs');
  let next = over(step, before);
  for (const [name, { value }] of step.entries) next = withEntry(next, name, over(value, partOf(before, name)));
  if (id !== undefined) next = withEntry(next, 'id', id);
  if (needs !== undefined && !step.entries.has('needs')) next = withEntry(next, 'needs', needs);
  return { ...steps, items: steps.items.map((other) => (other === before ? next : other)) };
}
