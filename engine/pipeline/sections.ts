/** Parses the steps of a pipeline: their templates and conditions, and the phases that each may use. */
import { isDeepStrictEqual } from 'node:util';
import type { Path } from '../documents/problems.ts';
import { checkCondition } from '../expressions/check.ts';
import { type Condition, parseCondition } from '../expressions/conditions.ts';
import type { Scope } from '../expressions/scope.ts';
import { parseTemplate } from '../expressions/template.ts';
import { didYouMean } from '../sdk/text.ts';
import { approvalPhase } from './approval.ts';
import { needsOf } from './graph.ts';
import { type Pipeline, type PipelineStep, variantsOf } from './load.ts';
import type { Candidate, CheckedStep } from './planned-step.ts';
import type { Registry } from './registry.ts';
import type { Section } from './step-scopes.ts';

export interface SectionContext {
  pipeline: Pipeline;
  registry: Registry;
  /** What the conditions of phases can read: no step has run when a phase is chosen. */
  scope: Scope;
}

/** Parses `steps` or `finally`, and reports problems. */
export function sectionOf(context: SectionContext, key: Section['key']): Section {
  const { pipeline } = context;
  const { problems } = pipeline;
  const source = pipeline[key] ?? [];
  const needs = needsOf({ steps: source, problems }, key);
  const steps = source.map((step, index) => checkedStep(context, step, [key, index]));
  return { key, steps, needs, byId: new Map(steps.map((checked) => [checked.step.id, checked])) };
}

function checkedStep(context: SectionContext, step: PipelineStep, path: Path): CheckedStep {
  const { problems } = context.pipeline;
  const isApproval = step.approval !== undefined;
  const inputs = isApproval ? { message: step.approval?.message } : (step.with ?? {});
  const report = (at: Path, message: string) =>
    problems.at([...path, isApproval ? 'approval' : 'with', ...at], message, 'expression');
  return {
    step,
    path,
    template: parseTemplate(inputs, report),
    condition: conditionAt(context.pipeline, step.if, [...path, 'if']),
    candidates: isApproval ? approvalCandidates(context, step, path) : candidatesOf(context, step, path),
  };
}

function conditionAt({ problems }: Pipeline, text: string | undefined, at: Path): Condition {
  try {
    return parseCondition(text);
  } catch (error) {
    problems.at(at, `${text}: ${(error as Error).message}`, 'expression');
    return parseCondition(undefined);
  }
}

const NOT_IN_APPROVALS = ['uses', 'with', 'retry', 'timeout'] as const;

function approvalCandidates({ pipeline }: SectionContext, step: PipelineStep, path: Path): Candidate[] {
  for (const key of NOT_IN_APPROVALS)
    if (step[key] !== undefined)
      pipeline.problems.atKey(path, key, `an approval cannot have ${key}: remove it`, 'unknown-key');
  return [{ phase: approvalPhase, condition: parseCondition(undefined) }];
}

/** The existing phases of those that a step names. */
function candidatesOf({ pipeline, registry, scope }: SectionContext, step: PipelineStep, path: Path): Candidate[] {
  const { problems } = pipeline;
  const isList = typeof step.uses !== 'string';
  const candidates = variantsOf(step).flatMap((variant, position): Candidate[] => {
    const at = [...path, 'uses', ...(isList ? [position] : [])];
    const phase = registry.find(variant.phase);
    if (phase === undefined) {
      const advice = didYouMean(variant.phase, registry.names()) || '; join phase lists the phases';
      problems.at(isList ? [...at, 'phase'] : at, `there is no phase ${variant.phase}${advice}`, 'unknown-phase');
    }
    const condition = conditionAt(pipeline, variant.if, [...at, 'if']);
    checkCondition(scope, condition, [...at, 'if']);
    return phase === undefined ? [] : [{ phase, condition }];
  });
  checkOutputsAgree(pipeline, candidates, [...path, 'uses']);
  return candidates;
}

function checkOutputsAgree({ problems }: Pipeline, [first, ...rest]: readonly Candidate[], at: Path): void {
  for (const { phase } of rest)
    if (first !== undefined && !isDeepStrictEqual(phase.output, first.phase.output))
      problems.at(
        at,
        `phases ${phase.name} and ${first.phase.name} have different outputs, so a step cannot use either of them`,
        'outputs-differ',
      );
}
