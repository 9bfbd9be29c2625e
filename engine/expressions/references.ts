/**
 * References: in a pipeline its inputs, host facts, feature gates, and the outputs and status of steps; in a fleet the
 * results of a wave.
 */

export type Reference =
  | { kind: 'input'; name: string }
  | { kind: 'host'; name: string }
  | { kind: 'gate'; name: string }
  | { kind: 'run'; name: string }
  | { kind: 'wave'; name: string }
  | { kind: 'output'; step: string; name: string }
  | { kind: 'status'; step: string };

/**
 * The result of a lookup for a value that only a real run can produce. Expressions treat it neither as present nor as
 * absent.
 */
export const UNKNOWN = Symbol('only known after the run');

/** `bare`: the reference fills its placeholder. `within`: it is part of a larger expression. */
export type Position = 'bare' | 'within';

/** Returns the value of a reference: undefined if it has none, `UNKNOWN` if only a real run can produce it. */
export type Lookup = (reference: Reference, position?: Position) => unknown;

const ROOTS = { inputs: 'input', host: 'host', gates: 'gate', run: 'run' } as const;

/** The first words of the references that an expression can contain. */
export interface Roots {
  /** The kind of reference that begins with each. References to steps are added by `steps`. */
  kinds: Readonly<Record<string, 'input' | 'host' | 'gate' | 'run' | 'wave'>>;
  names: readonly string[];
  /** What to write instead of a name that is none of them. */
  forms: string;
}
export const PIPELINE_ROOTS: Roots = {
  kinds: ROOTS,
  names: [...Object.keys(ROOTS), 'steps'],
  forms: 'write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y',
};
export const WAVE_ROOTS: Roots = {
  kinds: { wave: 'wave' },
  names: ['wave'],
  forms: 'write wave.x, such as wave.failed',
};

const NAME = String.raw`(?:\.([A-Za-z_]\w*)|\["([^"\]]+)"\])`;
const SIMPLE = new RegExp(`^(inputs|host|gates|run)${NAME}$`);
const OUTPUT = new RegExp(`^steps${NAME}\\.outputs${NAME}$`);

/** Parses an expression that is one reference, the most frequent form. Anything else needs the CEL library. */
export function plainReference(expression: string): Reference | undefined {
  const text = expression.trim();
  const simple = SIMPLE.exec(text);
  if (simple !== null) return { kind: ROOTS[simple[1] as keyof typeof ROOTS], name: simple[2] ?? simple[3] ?? '' };
  const output = OUTPUT.exec(text);
  if (output !== null)
    return { kind: 'output', step: output[1] ?? output[2] ?? '', name: output[3] ?? output[4] ?? '' };
  return undefined;
}

const stepText = (id: string): string => (/^[A-Za-z_]\w*$/.test(id) ? `steps.${id}` : `steps[${JSON.stringify(id)}]`);

/** The reference as a pipeline spells it. Equal references have equal texts. */
export function referenceText(reference: Reference): string {
  switch (reference.kind) {
    case 'output':
      return `${stepText(reference.step)}.outputs.${reference.name}`;
    case 'status':
      return `${stepText(reference.step)}.status`;
    case 'input':
      return `inputs.${reference.name}`;
    default:
      return `${reference.kind === 'gate' ? 'gates' : reference.kind}.${reference.name}`;
  }
}
