/**
 * Checks the inputs of steps whose values are known before the run, so that a run does not fail halfway because of
 * them.
 */

import { type Violation, violations } from '../documents/validate.ts';
import { holds } from '../expressions/conditions.ts';
import type { Lookup, Reference } from '../expressions/references.ts';
import { evaluate, hasUnknown, referencesIn, type Template } from '../expressions/template.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { flagProblem } from './flag-names.ts';
import type { PlannedStep } from './planned-step.ts';
import { lookUp, type PlanValues } from './values.ts';

type Entries = readonly [string, Template][];

/**
 * The problems that the schema of a phase finds in the known inputs of its step. `nameOf` names an input of the
 * pipeline.
 */
export function knownProblems(plan: PlanValues, step: PlannedStep, nameOf: (input: string) => string): string[] {
  const errors: string[] = [];
  const collect = (error: unknown) => {
    errors.push(`step ${step.id}: ${(error as Error).message}`);
    return undefined;
  };
  const lookup: Lookup = (reference) => lookUp(plan, undefined, reference);
  if (!certainlyRuns(step, lookup, collect)) return errors; // the inputs may never be needed
  const entries: Entries = step.with.kind === 'map' ? step.with.entries : [];
  if (!entries.some(([, template]) => referencesIn(template).some(({ reference }) => isKnown(reference))))
    return errors;
  const known: Record<string, unknown> = {};
  const unknown = new Set<string>();
  for (const [name, template] of entries) {
    const value = attempt(() => evaluate(template, lookup), collect);
    if (hasUnknown(value)) unknown.add(name);
    else if (value !== undefined) known[name] = revealSecrets(value);
  }
  if (errors.length > 0) return errors;
  return violations(step.phase.input, known)
    .filter(({ path, missing }) => !unknown.has(String(path[0] ?? missing ?? '')))
    .map((violation) => describe(step, entries, violation, nameOf));
}

const certainlyRuns = (
  { if: condition }: PlannedStep,
  lookup: Lookup,
  caught: (error: unknown) => undefined,
): boolean => condition === undefined || attempt(() => holds(condition, lookup), caught) === true;

function attempt<T>(act: () => T, caught: (error: unknown) => undefined): T | undefined {
  try {
    return act();
  } catch (error) {
    return caught(error);
  }
}

/** The value comes from the user or the machine, and is known before the run. */
const isKnown = ({ kind }: Reference): boolean => kind === 'input' || kind === 'host' || kind === 'gate';

/** Blames the pipeline's input if the value is exactly that input, and the step's input otherwise. */
function describe(
  { id }: PlannedStep,
  entries: Entries,
  violation: Violation,
  nameOf: (input: string) => string,
): string {
  const name = String(violation.path[0] ?? violation.missing ?? '');
  if (name === '') return violation.message;
  const template = entries.find(([key]) => key === name)?.[1];
  const source = template?.kind === 'placeholder' ? template.expression : undefined;
  return source?.kind === 'input'
    ? flagProblem(violation, source.name, nameOf)
    : `step ${id}: ${name} ${violation.message}`;
}
