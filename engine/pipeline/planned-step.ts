/** A step as a run executes it: one phase, limits in milliseconds, and the template of its inputs. */

import { durationMs } from '../documents/durations.ts';
import type { Path } from '../documents/problems.ts';
import { type Condition, holds } from '../expressions/conditions.ts';
import type { Lookup } from '../expressions/references.ts';
import { expressionsIn, referencesOf, type Template } from '../expressions/template.ts';
import { defined } from '../sdk/fields.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import { type Approval, approvalOf } from './approval.ts';
import type { Needs } from './graph.ts';
import type { Pipeline, PipelineStep, Timeout } from './load.ts';
import { limitText } from './time-limits.ts';

/** How the attempts of a step follow each other. */
export interface Retry {
  attempts: number;
  initialMs: number;
  factor: number;
  capMs: number;
  /** Fraction, from 0 to 1, by which a pause may be longer or shorter. */
  jitter?: number;
  /** Errors that are retried: error codes, or `transient` (default). */
  on?: readonly string[];
}

export interface PlannedStep {
  id: string;
  phase: AnyPhase;
  needs: readonly string[];
  /** Absent: the step always runs. */
  if?: Condition;
  /** Steps whose outputs it reads. Each of them comes before this step. */
  reads: readonly string[];
  with: Template;
  /** Limit of one attempt. */
  timeoutMs: number;
  /** Limit of all attempts together. */
  totalMs?: number;
  retry: Retry;
  allowFailure?: boolean;
  /** The step waits for an approval. `with` holds the question. */
  approval?: Approval;
}

export const DEFAULT_TIMEOUT = '5m';
const DEFAULT_RETRY = { initial: '1s', factor: 2, cap: '30s' };
/** Without a number of attempts, the time limit ends the retries: no limit has room for this many. */
const ATTEMPTS_WITHIN_TIME = 1_000_000;
const JITTER_WITHIN_TIME = 0.2;

/** A phase that a step may use, and the condition for it. */
export interface Candidate {
  phase: AnyPhase;
  condition: Condition;
}

/** A step of the file with its parsed parts. */
export interface CheckedStep {
  step: PipelineStep;
  path: Path;
  candidates: readonly Candidate[];
  condition: Condition;
  template: Template;
}

/**
 * Plans a step with the first of its phases whose condition holds. Returns undefined after reporting that there is
 * none.
 */
export function planStep(
  pipeline: Pipeline,
  { step, path, candidates, condition, template }: CheckedStep,
  needs: Needs,
  lookup: Lookup | undefined,
): PlannedStep | undefined {
  const candidate = candidates.find((each) => lookup === undefined || isChosen(each, lookup));
  if (candidate === undefined) {
    const message = `no phase of step ${step.id} has a true condition: remove the condition of the last one`;
    pipeline.problems.at([...path, 'uses'], message, 'unreachable');
    return undefined;
  }
  const inputs = templateFor(template, candidate.phase, candidates);
  const limitMs = (limit: string) => durationMs(limitText(limit, pipeline, lookup));
  return defined({
    id: step.id,
    phase: candidate.phase,
    needs: needs.get(step.id) ?? [],
    if: step.if === undefined ? undefined : condition,
    reads: stepsReadBy(inputs),
    with: inputs,
    ...limitsOf(limitMs, step.timeout, pipeline.defaults.timeout, isRetriedWithinTime(pipeline, step)),
    retry: retryOf(pipeline, step),
    allowFailure: step.allowFailure === true ? true : undefined,
    approval: step.approval && approvalOf(step.approval),
  });
}

const stepsReadBy = (template: Template): string[] => {
  const references = expressionsIn(template).flatMap(({ expression }) => referencesOf(expression));
  return [...new Set(references.flatMap((reference) => (reference.kind === 'output' ? [reference.step] : [])))];
};

/** Whether only the time limits the retries, because the step sets no number of attempts. */
function isRetriedWithinTime({ defaults }: Pipeline, { retry }: PipelineStep): boolean {
  return (retry ?? defaults.retry) !== undefined && (retry?.attempts ?? defaults.retry?.attempts) === undefined;
}

function retryOf(pipeline: Pipeline, step: PipelineStep): PlannedStep['retry'] {
  const { defaults } = pipeline;
  const withinTime = isRetriedWithinTime(pipeline, step);
  const { attempts, initial, factor, cap, jitter, on } = {
    attempts: withinTime ? ATTEMPTS_WITHIN_TIME : 1,
    jitter: withinTime ? JITTER_WITHIN_TIME : undefined,
    on: undefined,
    ...DEFAULT_RETRY,
    ...defaults.retry,
    ...step.retry,
  };
  return defined({ attempts, initialMs: durationMs(initial), factor, capMs: durationMs(cap), jitter, on });
}

/** Each limit comes from the step, else from the defaults. Retries that are limited by time fit into `timeout`. */
function limitsOf(
  limitMs: (limit: string) => number,
  own: Timeout = {},
  defaults: Timeout = {},
  isTotal = false,
): Pick<PlannedStep, 'timeoutMs' | 'totalMs'> {
  const [first, second] = [own, defaults].map((timeout) =>
    typeof timeout === 'string' ? { attempt: timeout } : timeout,
  );
  const attempt = first?.attempt ?? second?.attempt ?? DEFAULT_TIMEOUT;
  const total = first?.total ?? second?.total ?? (isTotal ? attempt : undefined);
  return defined({ timeoutMs: limitMs(attempt), totalMs: total === undefined ? undefined : limitMs(total) });
}

/** A condition without a value does not hold. The check of the values reports why. */
function isChosen({ condition }: Candidate, lookup: Lookup): boolean {
  try {
    return holds(condition, lookup) === true;
  } catch {
    return false;
  }
}

/** The template for one phase of a step: without the inputs that only its other phases take. */
export function templateFor(template: Template, phase: AnyPhase, candidates: readonly Candidate[]): Template {
  if (template.kind !== 'map') return template;
  const takes = ({ input }: AnyPhase, name: string) => Object.hasOwn(input.properties ?? {}, name);
  const isForeign = (name: string) =>
    !takes(phase, name) && candidates.some((other) => other.phase !== phase && takes(other.phase, name));
  return { kind: 'map', entries: template.entries.filter(([name]) => !isForeign(name)) };
}
