/** What an expression may read: the pipeline's inputs, host facts, feature gates, what steps gave and how they ended. */

export type Reference =
  | { kind: 'input'; name: string }
  | { kind: 'host'; name: string }
  | { kind: 'gate'; name: string }
  | { kind: 'run'; name: string }
  | { kind: 'output'; step: string; name: string }
  | { kind: 'status'; step: string };

/** What a lookup gives for a value that only the run will show; it is not there for expressions, and neither is it absent. */
export const UNKNOWN = Symbol('only known after the run');
/** undefined where there is no value; `UNKNOWN` where there will be one. `isAlone`: it is no part of an expression. */
export type Lookup = (reference: Reference, isAlone?: boolean) => unknown;

export const ROOTS = { inputs: 'input', host: 'host', gates: 'gate', run: 'run' } as const;
export const isRoot = (name: string): name is keyof typeof ROOTS => Object.hasOwn(ROOTS, name);

const NAME = String.raw`(?:\.([A-Za-z_]\w*)|\["([^"\]]+)"\])`;
const SIMPLE = new RegExp(`^(inputs|host|gates|run)${NAME}$`);
const OUTPUT = new RegExp(`^steps${NAME}\\.outputs${NAME}$`);

/** A reference and nothing else, which most expressions are: reading one does not need the expression language. */
export function plainReference(expression: string): Reference | undefined {
  const text = expression.trim();
  const simple = SIMPLE.exec(text);
  if (simple !== null) return { kind: ROOTS[simple[1] as keyof typeof ROOTS], name: simple[2] ?? simple[3] ?? '' };
  const output = OUTPUT.exec(text);
  if (output !== null)
    return { kind: 'output', step: output[1] ?? output[2] ?? '', name: output[3] ?? output[4] ?? '' };
  return undefined;
}

const step = (id: string): string => (/^[A-Za-z_]\w*$/.test(id) ? `steps.${id}` : `steps[${JSON.stringify(id)}]`);

/** As it is written; two are the same where this is. */
export function referenceText(reference: Reference): string {
  switch (reference.kind) {
    case 'output':
      return `${step(reference.step)}.outputs.${reference.name}`;
    case 'status':
      return `${step(reference.step)}.status`;
    case 'input':
      return `inputs.${reference.name}`;
    default:
      return `${reference.kind === 'gate' ? 'gates' : reference.kind}.${reference.name}`;
  }
}
