/** Timeouts of steps: a duration, or the value of an input. */

import { isDuration } from '../documents/durations.ts';
import type { Lookup } from '../expressions/references.ts';
import { didYouMean } from '../sdk/text.ts';
import type { Pipeline, Timeout } from './load.ts';

const INPUT = /^\$\{\{\s*inputs\.([A-Za-z_]\w*)\s*\}\}$/;

/** Both limits of a timeout, and the path of each below the step. */
export function limitsIn(timeout: Timeout | undefined) {
  const { attempt, total } = typeof timeout === 'string' ? { attempt: undefined, total: undefined } : (timeout ?? {});
  return [
    { limit: typeof timeout === 'string' ? timeout : undefined, key: ['timeout'] },
    { limit: attempt, key: ['timeout', 'attempt'] },
    { limit: total, key: ['timeout', 'total'] },
  ];
}

/** The name of the input that sets a limit. */
export const inputOfLimit = (limit: string | undefined): string | undefined => INPUT.exec(limit ?? '')?.[1];

/** The duration of a limit. Without a `lookup`, an input has its default. */
export function limitText(limit: string, pipeline: Pipeline, lookup?: Lookup): string {
  const name = inputOfLimit(limit);
  if (name === undefined) return limit;
  return String(lookup?.({ kind: 'input', name }) ?? pipeline.inputs.properties[name]?.default ?? '');
}

/** Checks that each input that sets a limit exists, and that its default is a duration. */
export function checkLimits({ steps, finally: last = [], defaults, inputs, problems }: Pipeline): void {
  const places = [
    { at: ['defaults'], ...defaults },
    ...steps.map((step, index) => ({ at: ['steps', index], ...step })),
    ...last.map((step, index) => ({ at: ['finally', index], ...step })),
  ];
  for (const { at, timeout } of places)
    for (const { limit, key } of limitsIn(timeout)) {
      const name = inputOfLimit(limit);
      if (name === undefined) continue;
      const path = [...at, ...key];
      if (!Object.hasOwn(inputs.properties, name))
        problems.at(path, `there is no input ${name}${didYouMean(name, Object.keys(inputs.properties))}`);
      else if (!isDuration(inputs.properties[name]?.default))
        problems.at(path, `input ${name} sets a timeout, so its default must be a duration such as 30s or 5m`);
    }
}

/** The inputs that set a limit. */
export function limitInputs({ steps, finally: last = [], defaults }: Pick<Pipeline, 'steps' | 'finally' | 'defaults'>) {
  const limits = [defaults, ...steps, ...last].flatMap(({ timeout }) => limitsIn(timeout));
  return [...new Set(limits.flatMap(({ limit }) => inputOfLimit(limit) ?? []))];
}

/** The inputs that set a limit and whose values are not durations. */
export const invalidLimits = (pipeline: Pipeline, inputs: Readonly<Record<string, unknown>>): string[] =>
  limitInputs(pipeline).filter((input) => !isDuration(inputs[input]));
