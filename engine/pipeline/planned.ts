/** A step as a run has it: one phase, its limits in milliseconds, what it is given. */

import { durationMs } from '../documents/durations.ts';
import type { Path } from '../documents/problems.ts';
import { type Condition, holds } from '../expressions/conditions.ts';
import type { Lookup } from '../expressions/references.ts';
import { expressions, readsOf, type Template } from '../expressions/template.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import { type Approval, approvalOf } from './approval.ts';
import type { Needs } from './graph.ts';
import type { Pipeline, PipelineStep, Timeout } from './load.ts';
import { limitText } from './time-limits.ts';

export interface PlannedStep {
  id: string;
  phase: AnyPhase;
  needs: readonly string[];
  /** Left out: always. */
  if?: Condition;
  /** Steps whose outputs it reads; each is among those it comes after. */
  reads: readonly string[];
  with: Template;
  /** Of one attempt, and of all of them. */
  timeoutMs: number;
  totalMs?: number;
  retry: {
    attempts: number;
    initialMs: number;
    factor: number;
    capMs: number;
    jitter?: number;
    on?: readonly string[];
  };
  allowFailure?: boolean;
  /** It waits for somebody to say yes; `with` is its message. */
  approval?: Approval;
}

export const DEFAULT_TIMEOUT = '5m';
const DEFAULT_RETRY = { attempts: 1, initial: '1s', factor: 2, cap: '30s' };

/** A phase that a step may use, and when. */
export interface Candidate {
  phase: AnyPhase;
  condition: Condition;
}

/** A step of the file, with what was made of it. */
export interface Checked {
  step: PipelineStep;
  path: Path;
  candidates: readonly Candidate[];
  condition: Condition;
  template: Template;
}

/** The step as a run has it: with the first of its phases whose condition holds. */
export function plannedStep(
  pipeline: Pipeline,
  { step, path, candidates, condition, template }: Checked,
  needs: Needs,
  lookup: Lookup | undefined,
): PlannedStep | undefined {
  const { defaults, problems } = pipeline;
  const chosen = candidates.find((candidate) => lookup === undefined || isChosen(candidate, lookup));
  if (chosen === undefined) {
    problems.at([...path, 'uses'], `no condition of step ${step.id} holds: leave out the last one`, 'unreachable');
    return undefined;
  }
  const { phase } = chosen;
  const given = forPhase(template, phase, candidates);
  const retry = { ...DEFAULT_RETRY, ...defaults.retry, ...step.retry };
  const read = expressions(given).flatMap(({ expression }) =>
    readsOf(expression).flatMap((reference) => (reference.kind === 'output' ? [reference.step] : [])),
  );
  const limitMs = (limit: string) => durationMs(limitText(limit, pipeline, lookup));
  return {
    id: step.id,
    phase,
    needs: needs.get(step.id) ?? [],
    ...(step.if === undefined ? {} : { if: condition }),
    reads: [...new Set(read)],
    with: given,
    ...limitsOf(limitMs, step.timeout, defaults.timeout),
    retry: {
      attempts: retry.attempts,
      initialMs: durationMs(retry.initial),
      factor: retry.factor,
      capMs: durationMs(retry.cap),
      ...(retry.jitter === undefined ? {} : { jitter: retry.jitter }),
      ...(retry.on === undefined ? {} : { on: retry.on }),
    },
    ...(step.allowFailure === true ? { allowFailure: true } : {}),
    ...(step.approval === undefined ? {} : { approval: approvalOf(step.approval) }),
  };
}

/** Each of the two limits as the step has it, or else the defaults. */
function limitsOf(
  limitMs: (limit: string) => number,
  own: Timeout = {},
  defaults: Timeout = {},
): Pick<PlannedStep, 'timeoutMs' | 'totalMs'> {
  const [first, second] = [own, defaults].map((timeout) =>
    typeof timeout === 'string' ? { attempt: timeout } : timeout,
  );
  const total = first?.total ?? second?.total;
  const attempt = first?.attempt ?? second?.attempt ?? DEFAULT_TIMEOUT;
  return { timeoutMs: limitMs(attempt), ...(total === undefined ? {} : { totalMs: limitMs(total) }) };
}

/** One that has no value does not hold: what is wrong with the values is told where they are checked. */
function isChosen({ condition }: Candidate, lookup: Lookup): boolean {
  try {
    return holds(condition, lookup) === true;
  } catch {
    return false;
  }
}

/** Without the inputs that only its other phases take. */
export function forPhase(template: Template, phase: AnyPhase, candidates: readonly Candidate[]): Template {
  if (template.kind !== 'map') return template;
  const takes = ({ input }: AnyPhase, name: string) => Object.hasOwn(input.properties ?? {}, name);
  const isForeign = (name: string) =>
    !takes(phase, name) && candidates.some((other) => other.phase !== phase && takes(other.phase, name));
  return { kind: 'map', entries: template.entries.filter(([name]) => !isForeign(name)) };
}
