/** The order of steps, as their `needs` define it. */

import type { Problems } from '../documents/problems.ts';
import { didYouMean } from '../sdk/text.ts';
import type { PipelineStep } from './load.ts';

/** Step id → the ids it needs, in the order of the file. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/** The `needs` of every step; the default is the step before. Reports unknown names, duplicate ids and cycles. */
export function needsOf(
  { steps, problems }: { steps: readonly PipelineStep[]; problems: Problems },
  key = 'steps',
): Needs {
  const ids = steps.map((step) => step.id);
  const needs = new Map<string, readonly string[]>();
  steps.forEach((step, index) => {
    const isDuplicate = needs.has(step.id);
    if (isDuplicate) problems.at([key, index, 'id'], `two steps have the id ${step.id}`, 'double-id');
    const before = steps[index - 1];
    const known = (step.needs ?? (before === undefined ? [] : [before.id])).filter((id, position) => {
      if (ids.includes(id)) return true;
      problems.at([key, index, 'needs', position], `there is no step ${id}${didYouMean(id, ids)}`, 'unknown-step');
      return false;
    });
    if (!isDuplicate) needs.set(step.id, known); // otherwise the duplicate would seem to need itself
  });
  const cycle = findCycle(needs);
  if (cycle !== undefined) {
    const index = ids.indexOf(cycle[0] ?? '');
    problems.at([key, index, 'needs'], `these steps need each other: ${[...cycle, cycle[0]].join(' → ')}`, 'cycle');
  }
  return needs;
}

/**
 * Sorts ids so that each comes after the ids it needs (Kahn's algorithm). Omits cycles and the steps that need
 * them.
 */
export function orderOf(needs: Needs): string[] {
  const open = new Map([...needs].map(([id, before]) => [id, before.length]));
  const dependents = new Map<string, string[]>();
  for (const [id, before] of needs)
    for (const other of before) {
      const list = dependents.get(other);
      if (list === undefined) dependents.set(other, [id]);
      else list.push(id);
    }
  const order = [...open].filter(([, count]) => count === 0).map(([id]) => id);
  for (const id of order) // grows during the loop
    for (const next of dependents.get(id) ?? []) {
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      if (left === 0) order.push(next);
    }
  return order;
}

/** The steps of some cycle, or undefined without a cycle. */
function findCycle(needs: Needs): string[] | undefined {
  const reached = new Set(orderOf(needs));
  const start = [...needs.keys()].find((id) => !reached.has(id));
  if (start === undefined) return undefined;
  const path: string[] = [];
  let at: string | undefined = start;
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = needs.get(at)?.find((id) => !reached.has(id));
  }
  return path.slice(path.indexOf(at ?? start));
}

/** Whether `id` comes after `other` in every order. */
export function isAfter(needs: Needs, id: string, other: string): boolean {
  const seen = new Set<string>();
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const before of needs.get(at) ?? []) {
      if (before === other) return true;
      if (!seen.has(before)) {
        seen.add(before);
        open.push(before);
      }
    }
  return false;
}
