/** Conditions: the `if` of a step or of one of its phases. A condition is a CEL expression that is true or false. */
import { Cel } from './cel.ts';
import { type Lookup, type Reference, referenceText, UNKNOWN } from './references.ts';

/** `has(inputs.x) && !has(inputs.y)`, the most frequent form. Evaluating it does not load the CEL library. */
interface Presence {
  kind: 'presence';
  terms: readonly { reference: Reference; isPresent: boolean }[];
}
export type Condition = Presence | Cel;

const TERM = /^(!?)\s*has\(\s*inputs\.([A-Za-z_]\w*)\s*\)$/;

/** Parses a condition; without a text, it is always true. Throws an Error that says what is wrong. */
export function parseCondition(text: string | undefined): Condition {
  if (text === undefined) return { kind: 'presence', terms: [] };
  const matches = text.split('&&').map((part) => TERM.exec(part.trim()));
  const terms = matches.flatMap((match) =>
    match === null ? [] : [{ reference: { kind: 'input' as const, name: match[2] ?? '' }, isPresent: match[1] === '' }],
  );
  if (terms.length === matches.length) return { kind: 'presence', terms };
  if (text.includes('${{')) throw new Error('a condition is a bare expression: remove the ${{');
  return new Cel(text.trim());
}

export const conditionReads = (condition: Condition): Reference[] =>
  (condition.kind === 'cel' ? condition.sites : condition.terms).map(({ reference }) => reference);

/** The references that certainly have a value whenever the condition is true. */
export const presentIn = (condition: Condition): readonly string[] =>
  condition.kind === 'cel'
    ? condition.present
    : condition.terms.filter(({ isPresent }) => isPresent).map(({ reference }) => referenceText(reference));

/** Evaluates a condition. Throws an Error if it has no value. */
export function holds(condition: Condition, lookup: Lookup): boolean | typeof UNKNOWN {
  if (condition.kind === 'presence')
    return condition.terms.every(({ reference, isPresent }) => (lookup(reference) !== undefined) === isPresent);
  try {
    const value = condition.evaluate(lookup);
    if (value === UNKNOWN || typeof value === 'boolean') return value;
    throw new Error('it is not a boolean');
  } catch (error) {
    throw new Error(`if ${condition.text}: ${(error as Error).message}`);
  }
}
