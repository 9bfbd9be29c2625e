/** One patch after another on a pipeline. What does not fit is told at the patch. */
import type { Problems } from '../documents/problems.ts';
import type { ApplyPatch } from '../sdk/json-patch.ts';
import { didYouMean } from '../sdk/text.ts';
import { jsonPatched } from './json-patch.ts';
import { idOf, insertAfter, insertAtEnd, insertAtStart, insertBefore, removeAt, replaceAt } from './steps.ts';
import { type List, type Mapping, merged, partOf, type Scalar, type Tracked, withEntry } from './tracked.ts';

interface Patching {
  problems: Problems;
  /** Present where there is a `jsonPatch` among all patches. */
  applyPatch: ApplyPatch | undefined;
}

/** Lists whose steps can be patched; the second one's know no order of their own. */
const LISTS = ['steps', 'finally'] as const;

/** `patch` has one of the forms of `schemas/environment.schema.json`. */
export function patched(pipeline: Tracked, patch: Tracked, patching: Patching): Tracked {
  const { problems, applyPatch } = patching;
  const operations = partOf(patch, 'jsonPatch');
  if (operations?.kind === 'list' && applyPatch !== undefined) {
    const { patched: result, problem } = jsonPatched(pipeline, operations.items, applyPatch);
    const place = operations.items[problem?.index ?? 0]?.place ?? operations.place;
    if (problem !== undefined) problems.atPlace(place, problem.message, 'patch');
    return result;
  }
  if (pipeline.kind !== 'map') return pipeline; // its own schema will say so
  const merge = partOf(patch, 'merge');
  const step = partOf(patch, 'step') ?? partOf(patch, 'remove') ?? anchorOf(patch);
  if (merge !== undefined && step === undefined) return merged(pipeline, merge);
  if (step === undefined) return inserted(pipeline, patch);
  const found = find(pipeline, step, problems);
  return found === undefined ? pipeline : withEntry(pipeline, found.name, patchedSteps(found, patch));
}

const anchorOf = (patch: Tracked): Tracked | undefined => {
  const insert = partOf(patch, 'insert');
  return partOf(insert, 'after') ?? partOf(insert, 'before');
};

interface Found {
  name: (typeof LISTS)[number];
  steps: List;
  index: number;
}

function find(pipeline: Mapping, step: Tracked, problems: Problems): Found | undefined {
  const ids: string[] = [];
  for (const name of LISTS) {
    const steps = partOf(pipeline, name);
    if (steps?.kind !== 'list') continue;
    const index = steps.items.findIndex((item) => idOf(item) === (step as Scalar).value);
    if (index >= 0) return { name, steps, index };
    ids.push(...steps.items.flatMap((item) => idOf(item) ?? []));
  }
  const meant = String((step as Scalar).value);
  problems.atPlace(step.place, `there is no step ${meant}${didYouMean(meant, ids)}`, 'unknown-step');
  return undefined;
}

function patchedSteps({ name, steps, index }: Found, patch: Tracked): List {
  const merge = partOf(patch, 'merge');
  if (merge !== undefined)
    return { ...steps, items: steps.items.map((item, at) => (at === index ? merged(item, merge) : item)) };
  const replace = partOf(patch, 'replace');
  if (replace?.kind === 'map') return replaceAt(steps, index, replace);
  const [before, after] = name === 'steps' ? [insertBefore, insertAfter] : [placeAt(0), placeAt(1)];
  const wrap = partOf(patch, 'wrap');
  const [opening, closing] = [partOf(wrap, 'before'), partOf(wrap, 'after')];
  if (opening?.kind === 'map' && closing?.kind === 'map') return before(after(steps, index, closing), index, opening);
  const insert = partOf(patch, 'insert');
  const step = partOf(insert, 'step');
  if (step?.kind === 'map') return (partOf(insert, 'after') === undefined ? before : after)(steps, index, step);
  return removeAt(steps, index);
}

/** Among steps without an order of their own, the place in the list is all there is. */
const placeAt =
  (offset: number) =>
  (steps: List, index: number, step: Mapping): List => ({
    ...steps,
    items: steps.items.toSpliced(index + offset, 0, step),
  });

/** At the start or the end of the steps. */
function inserted(pipeline: Mapping, patch: Tracked): Tracked {
  const insert = partOf(patch, 'insert');
  const [steps, step, at] = [partOf(pipeline, 'steps'), partOf(insert, 'step'), partOf(insert, 'at')];
  if (steps?.kind !== 'list' || step?.kind !== 'map') return pipeline;
  const insertAt = (at as Scalar | undefined)?.value === 'start' ? insertAtStart : insertAtEnd;
  return withEntry(pipeline, 'steps', insertAt(steps, step));
}
