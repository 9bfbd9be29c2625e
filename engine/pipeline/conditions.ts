/** Conditions on which inputs are given: `has(inputs.x) && !has(inputs.y)`, as CEL writes it. Parsed before anything runs. */

export type Condition = readonly { input: string; wanted: boolean }[];

const TERM = /^(!?)\s*has\(\s*inputs\.([A-Za-z_]\w*)\s*\)$/;

/** Throws an Error with the part that is no condition. */
export function parseCondition(text: string | undefined): Condition {
  if (text === undefined) return [];
  return text.split('&&').map((part) => {
    const [, not, input] = TERM.exec(part.trim()) ?? [];
    if (input === undefined) throw new Error(`"${part.trim()}" is no condition: write has(inputs.x) or !has(inputs.x)`);
    return { input, wanted: not === '' };
  });
}

export const holds = (condition: Condition, inputs: Readonly<Record<string, unknown>>): boolean =>
  condition.every(({ input, wanted }) => (inputs[input] !== undefined) === wanted);
