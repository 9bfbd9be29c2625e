/**
 * CEL expressions, parsed once and checked against schemas before anything runs. Each reference in the syntax tree
 * becomes a variable, so that an expression reaches the values it names and no others.
 */
import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { compilePattern } from '../documents/patterns.ts';
import type { Schema } from '../sdk/schema.ts';
import { isSecret, revealSecrets, Secret } from '../sdk/secret.ts';
import { ExpressionError, expressionProblem } from './cel-errors.ts';
import { celLibrary } from './cel-library.ts';
import { ExpressionSyntax, presentWhen, type ReferenceSite } from './cel-syntax.ts';
import { celType, fromCel, toCel } from './cel-types.ts';
import { type Lookup, PIPELINE_ROOTS, referenceText, UNKNOWN } from './references.ts';

const LENGTH_MAX = 4_096;
/** Limit of the nodes evaluated plus the size of their results. Takes about 50 ms. */
const BUDGET = 300_000;
const LIMITS = { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 4 };

let base: Environment | undefined;
function environment(): Environment {
  const { Environment } = celLibrary();
  base ??= new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  }).registerFunction('string.re2(string): bool', (text: string, pattern: string) => {
    try {
      return compilePattern(pattern).test(text);
    } catch (error) {
      throw new ExpressionError((error as Error).message);
    }
  });
  return base.clone();
}

export class Cel {
  readonly kind = 'cel';
  readonly text: string;
  readonly sites: readonly ReferenceSite[];
  /** The references that certainly have a value whenever this is true. */
  readonly present: readonly string[];
  readonly #rewritten: string;
  readonly #program: ParseResult;
  #schemas: readonly (Schema | undefined)[] = [];
  #spent = 0;

  /** Throws an Error that says what is wrong with the text. */
  constructor(text: string, roots = PIPELINE_ROOTS) {
    if (text.length > LENGTH_MAX) throw new Error(`an expression can have at most ${LENGTH_MAX} characters`);
    const { ast } = parse(environment(), text);
    const { sites, matches } = new ExpressionSyntax(ast, roots);
    this.text = text;
    this.sites = sites;
    this.present = presentWhen(ast, 'true', roots);
    for (const { pattern } of matches) if (pattern !== undefined) compilePattern(pattern);
    this.#rewritten = rewrite(text, sites, matches);
    const own = environment();
    for (const index of sites.keys()) own.registerVariable(`_${index}`, 'dyn');
    this.#program = parse(own, this.#rewritten);
    this.#meter(this.#program.ast);
  }

  /** The CEL type of the result, if the references have these schemas. Throws an Error that describes a type error. */
  check(schemas: readonly (Schema | undefined)[]): string {
    this.#schemas = schemas;
    const typed = environment();
    this.sites.forEach(({ mode }, index) => {
      const type = celType(schemas[index]);
      const readType = mode === 'optional' ? `optional<${type}>` : type;
      typed.registerVariable(`_${index}`, mode === 'has' ? 'bool' : readType);
    });
    const { type, error } = parse(typed, this.#rewritten).check();
    if (error !== undefined) throw new Error(expressionProblem(error, this.text, this.sites));
    return type ?? 'dyn';
  }

  /**
   * The value as JSON, or `UNKNOWN` if it depends on an unknown value. Throws an Error if there is no value. If the
   * expression has read a secret, the value is a `Secret`, and the error does not give a reason.
   */
  evaluate(lookup: Lookup): unknown {
    const seen = { secret: false, unknown: false };
    this.#spent = 0;
    try {
      const value = fromCel(this.#program(this.#context(lookup, seen)));
      if (this.#spent > BUDGET) throw new ExpressionError(TOO_LONG);
      if (!seen.secret || value === undefined) return value;
      if (typeof value === 'string') return new Secret(value);
      throw new ExpressionError('not a string');
    } catch (error) {
      if (seen.unknown) return UNKNOWN;
      throw new Error(
        seen.secret
          ? 'it has no value (the reason is withheld, because the expression reads a secret)'
          : expressionProblem(error, this.text, this.sites),
      );
    }
  }

  #context(lookup: Lookup, seen: { secret: boolean; unknown: boolean }): object {
    const { Optional } = celLibrary();
    const context = {};
    this.sites.forEach(({ reference, mode }, index) => {
      const get = () => {
        const value = lookup(reference);
        if (value === UNKNOWN) {
          seen.unknown = true;
          throw new ExpressionError('unknown'); // && and || recover from an error if the other operand decides
        }
        if (mode === 'has') return value !== undefined;
        seen.secret ||= hasSecret(value);
        const celValue = value === undefined ? undefined : toCel(revealSecrets(value), this.#schemas[index]);
        if (mode === 'optional') return Optional.of(celValue);
        if (celValue === undefined) throw new ExpressionError(`${referenceText(reference)} has no value`);
        return celValue;
      };
      Object.defineProperty(context, `_${index}`, { get, enumerable: true });
    });
    return context;
  }

  /**
   * Counts the cost of each evaluation of a node. The library reads the `evaluate` of each node, and replaces it once.
   */
  #meter(node: unknown): void {
    if (Array.isArray(node)) for (const child of node) this.#meter(child);
    if (typeof node !== 'object' || node === null || !('op' in node)) return;
    const metered = node as ASTNode & { evaluate: (...args: unknown[]) => unknown };
    if (metered.op === 'rcall' && metered.args[0] === 'matches') throw new Error('matches cannot be used here');
    let { evaluate } = metered;
    const counted = (...args: unknown[]) => {
      if (this.#spent > BUDGET) throw new ExpressionError(TOO_LONG);
      const value = evaluate.apply(metered, args);
      this.#spent += 1 + sizeOf(value);
      return value;
    };
    Object.defineProperty(metered, 'evaluate', { get: () => counted, set: (replacement) => (evaluate = replacement) });
    this.#meter(metered.args);
  }
}

const TOO_LONG = 'it takes too long to evaluate';
const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length >> 4;
  if (Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 0;
};

const hasSecret = (value: unknown): boolean =>
  isSecret(value) || (typeof value === 'object' && value !== null && Object.values(value).some(hasSecret));

function parse(own: Environment, text: string): ParseResult {
  try {
    return own.parse(text);
  } catch (error) {
    throw new Error(expressionProblem(error, text));
  }
}

/**
 * Replaces each reference by its variable and each `matches` by `re2`. Keeps the length, so that every position stays
 * valid.
 */
function rewrite(text: string, sites: readonly ReferenceSite[], matches: ExpressionSyntax['matches']): string {
  let result = text;
  const put = (start: number, end: number, name: string) => {
    result = result.slice(0, start) + name.padEnd(end - start) + result.slice(end);
  };
  for (const [index, { start, end }] of sites.entries()) put(start, end, `_${index}`);
  for (const { start, end } of matches) {
    // If a comment hides the name, the call stays as it is, and `#meter` refuses it.
    const [before = '', name = ''] = /\.\s*(matches)\s*\($/.exec(text.slice(start, end).trimEnd()) ?? [];
    const at = text.slice(start, end).lastIndexOf(before) + before.indexOf(name);
    if (name !== '') put(start + at, start + at + name.length, 're2');
  }
  return result;
}
