/** Time limits of steps: written out, or the value of an input. */

import { isDuration } from '../documents/durations.ts';
import type { Lookup } from '../expressions/references.ts';
import { didYouMean } from '../sdk/text.ts';
import type { Pipeline, Timeout } from './load.ts';

const INPUT = /^\$\{\{\s*inputs\.([A-Za-z_]\w*)\s*\}\}$/;

/** Every limit of a step or of the defaults, and where below it that stands. */
export function limitsIn(timeout: Timeout | undefined) {
  const { attempt, total } = typeof timeout === 'string' ? { attempt: undefined, total: undefined } : (timeout ?? {});
  return [
    { limit: typeof timeout === 'string' ? timeout : undefined, key: ['timeout'] },
    { limit: attempt, key: ['timeout', 'attempt'] },
    { limit: total, key: ['timeout', 'total'] },
  ];
}

/** The input that a limit is the value of. */
export const inputOfLimit = (limit: string | undefined): string | undefined => INPUT.exec(limit ?? '')?.[1];

/** Of a limit that is the value of an input: that value; its default where there are no values yet. */
export function limitText(limit: string, pipeline: Pipeline, lookup?: Lookup): string {
  const name = inputOfLimit(limit);
  if (name === undefined) return limit;
  return String(lookup?.({ kind: 'input', name }) ?? pipeline.inputs.properties[name]?.default ?? '');
}

/** A limit that is the value of an input: there is one of that name, and its default is a time. */
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
        problems.at(path, `${name} is a time limit, so its default must be a time such as 30s or 5m`);
    }
}
