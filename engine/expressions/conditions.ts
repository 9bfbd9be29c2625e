/** Conditions: `if`, of steps and of the phases that one may use. A CEL expression that is true or false. */
import { Cel } from './cel.ts';
import { type Lookup, type Reference, referenceText, UNKNOWN } from './references.ts';

/** `has(inputs.x) && !has(inputs.y)`, which most of them are: it needs no library. */
interface Presence {
  kind: 'presence';
  terms: readonly { reference: Reference; wanted: boolean }[];
}
export type Condition = Presence | Cel;

const TERM = /^(!?)\s*has\(\s*inputs\.([A-Za-z_]\w*)\s*\)$/;

/** Left out: always. Throws an Error with what is wrong. */
export function parseCondition(text: string | undefined): Condition {
  if (text === undefined) return { kind: 'presence', terms: [] };
  const terms = text.split('&&').map((part) => TERM.exec(part.trim()));
  const read = terms.flatMap((term) =>
    term === null ? [] : [{ reference: { kind: 'input' as const, name: term[2] ?? '' }, wanted: term[1] === '' }],
  );
  if (read.length === terms.length) return { kind: 'presence', terms: read };
  if (text.includes('${{')) throw new Error('a condition is an expression by itself: leave the ${{ out');
  return new Cel(text.trim());
}

/** What a condition reads. */
export const conditionReads = (condition: Condition): Reference[] =>
  (condition.kind === 'cel' ? condition.uses : condition.terms).map(({ reference }) => reference);

/** What is certainly there wherever it holds. */
export const presentIn = (condition: Condition): readonly string[] =>
  condition.kind === 'cel'
    ? condition.present
    : condition.terms.filter(({ wanted }) => wanted).map(({ reference }) => referenceText(reference));

/** Throws an Error where it has no value. */
export function holds(condition: Condition, lookup: Lookup): boolean | typeof UNKNOWN {
  if (condition.kind === 'presence')
    return condition.terms.every(({ reference, wanted }) => (lookup(reference) !== undefined) === wanted);
  try {
    const value = condition.evaluate(lookup);
    if (value === UNKNOWN || typeof value === 'boolean') return value;
    throw new Error('it is neither true nor false');
  } catch (error) {
    throw new Error(`if ${condition.text}: ${(error as Error).message}`);
  }
}
