/** Applies the patches of an environment to a pipeline. Reports problems at the patch. */
import type { Problems } from '../documents/problems.ts';
import type { ApplyPatch } from '../sdk/json-patch.ts';
import { didYouMean } from '../sdk/text.ts';
import { applyJsonPatch } from './json-patch.ts';
import { idOf, insertAfter, insertAtEnd, insertAtStart, insertBefore, removeAt, replaceAt } from './steps.ts';
import { type List, type Mapping, mergePatch, partOf, type Scalar, type TrackedValue, withEntry } from './tracked.ts';

export interface PatchContext {
  problems: Problems;
  /** Defined if an environment contains a `jsonPatch`. */
  applyPatch: ApplyPatch | undefined;
}

/** The lists whose steps can be patched. */
const LISTS = ['steps', 'finally'] as const;

/** `patch` has one of the forms of `schemas/environment.schema.json`. */
export function applyEnvironmentPatch(
  pipeline: TrackedValue,
  patch: TrackedValue,
  context: PatchContext,
): TrackedValue {
  const { problems, applyPatch } = context;
  const operations = partOf(patch, 'jsonPatch');
  if (operations?.kind === 'list' && applyPatch !== undefined) {
    const { patched: result, problem } = applyJsonPatch(pipeline, operations.items, applyPatch);
    const place = operations.items[problem?.index ?? 0]?.place ?? operations.place;
    if (problem !== undefined) problems.atPlace(place, problem.message, 'patch');
    return result;
  }
  if (pipeline.kind !== 'map') return pipeline; // the pipeline schema reports it
  const merge = partOf(patch, 'merge');
  const step = partOf(patch, 'step') ?? partOf(patch, 'remove') ?? anchorOf(patch);
  if (merge !== undefined && step === undefined) return mergePatch(pipeline, merge);
  if (step === undefined) return insertAtEdge(pipeline, patch);
  const found = findStep(pipeline, step, problems);
  return found === undefined ? pipeline : withEntry(pipeline, found.name, patchStep(found, patch));
}

const anchorOf = (patch: TrackedValue): TrackedValue | undefined => {
  const insert = partOf(patch, 'insert');
  return partOf(insert, 'after') ?? partOf(insert, 'before');
};

interface FoundStep {
  name: (typeof LISTS)[number];
  steps: List;
  index: number;
}

function findStep(pipeline: Mapping, step: TrackedValue, problems: Problems): FoundStep | undefined {
  const ids: string[] = [];
  for (const name of LISTS) {
    const steps = partOf(pipeline, name);
    if (steps?.kind !== 'list') continue;
    const index = steps.items.findIndex((item) => idOf(item) === (step as Scalar).value);
    if (index >= 0) return { name, steps, index };
    ids.push(...steps.items.flatMap((item) => idOf(item) ?? []));
  }
  const id = String((step as Scalar).value);
  problems.atPlace(step.place, `there is no step ${id}${didYouMean(id, ids)}`, 'unknown-step');
  return undefined;
}

function patchStep({ name, steps, index }: FoundStep, patch: TrackedValue): List {
  const merge = partOf(patch, 'merge');
  if (merge !== undefined)
    return { ...steps, items: steps.items.map((item, at) => (at === index ? mergePatch(item, merge) : item)) };
  const replace = partOf(patch, 'replace');
  if (replace?.kind === 'map') return replaceAt(steps, index, replace);
  const [before, after] = name === 'steps' ? [insertBefore, insertAfter] : [insertAtOffset(0), insertAtOffset(1)];
  const wrap = partOf(patch, 'wrap');
  const [opening, closing] = [partOf(wrap, 'before'), partOf(wrap, 'after')];
  if (opening?.kind === 'map' && closing?.kind === 'map') return before(after(steps, index, closing), index, opening);
  const insert = partOf(patch, 'insert');
  const step = partOf(insert, 'step');
  if (step?.kind === 'map') return (partOf(insert, 'after') === undefined ? before : after)(steps, index, step);
  return removeAt(steps, index);
}

/** The steps of `finally` have no default order, so only the position in the list changes. */
const insertAtOffset =
  (offset: number) =>
  (steps: List, index: number, step: Mapping): List => ({
    ...steps,
    items: steps.items.toSpliced(index + offset, 0, step),
  });

/** Inserts at the start or the end of the steps. */
function insertAtEdge(pipeline: Mapping, patch: TrackedValue): TrackedValue {
  const insert = partOf(patch, 'insert');
  const [steps, step, at] = [partOf(pipeline, 'steps'), partOf(insert, 'step'), partOf(insert, 'at')];
  if (steps?.kind !== 'list' || step?.kind !== 'map') return pipeline;
  const insertAt = (at as Scalar | undefined)?.value === 'start' ? insertAtStart : insertAtEnd;
  return withEntry(pipeline, 'steps', insertAt(steps, step));
}
