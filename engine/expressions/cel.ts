/**
 * Expressions: CEL, parsed once and checked against schemas before anything runs. What one reads is found in its syntax tree
 * and becomes a variable of its own, so an expression meets the values that it names and no others.
 */
import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import type { Schema } from '../sdk/schema.ts';
import { isSecret, revealSecrets, Secret } from '../sdk/secret.ts';
import { clean } from '../sdk/text.ts';
import { celLibrary, re2Library } from './cel-library.ts';
import { presentWhere, Reads, type Use } from './cel-reads.ts';
import { celType, fromCel, toCel } from './cel-types.ts';
import { type Lookup, referenceText, UNKNOWN } from './references.ts';

const LENGTH_MAX = 4_096;
const PATTERN_LENGTH_MAX = 500;
/** Nodes evaluated, and what they gave by its size. About 50 ms. */
const BUDGET = 300_000;
const LIMITS = { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 4 };

let base: Environment | undefined;
function environment(): Environment {
  const { Environment, EvaluationError } = celLibrary();
  base ??= new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  }).registerFunction('string.re2(string): bool', (text: string, pattern: string) => {
    try {
      return compiled(pattern).matcher(text).find();
    } catch (error) {
      throw new EvaluationError((error as Error).message);
    }
  });
  return base.clone();
}

/** RE2 takes time linear in the text, whatever the pattern; RegExp may take for ever. */
function compiled(pattern: string) {
  if (pattern.length > PATTERN_LENGTH_MAX) throw new Error(`a pattern has at most ${PATTERN_LENGTH_MAX} characters`);
  return re2Library().compile(pattern);
}

export class Cel {
  readonly kind = 'cel';
  readonly text: string;
  readonly uses: readonly Use[];
  /** What is certainly there wherever this is true. */
  readonly present: readonly string[];
  readonly #rewritten: string;
  readonly #program: ParseResult;
  #schemas: readonly (Schema | undefined)[] = [];
  #spent = 0;

  /** Throws an Error with what is wrong. */
  constructor(text: string) {
    if (text.length > LENGTH_MAX) throw new Error(`an expression has at most ${LENGTH_MAX} characters`);
    const { ast } = parsed(environment(), text);
    const { uses, matches } = new Reads(ast);
    this.text = text;
    this.uses = uses;
    this.present = presentWhere(ast, true);
    for (const { pattern } of matches) if (pattern !== undefined) compiled(pattern);
    this.#rewritten = rewritten(text, uses, matches);
    const own = environment();
    for (const index of uses.keys()) own.registerVariable(`_${index}`, 'dyn');
    this.#program = parsed(own, this.#rewritten);
    this.#meter(this.#program.ast);
  }

  /** The CEL type of what it gives, where it reads values of these schemas. Throws an Error with what does not go together. */
  check(schemas: readonly (Schema | undefined)[]): string {
    this.#schemas = schemas;
    const typed = environment();
    this.uses.forEach(({ how }, index) => {
      const type = celType(schemas[index]);
      typed.registerVariable(`_${index}`, how === 'has' ? 'bool' : how === 'optional' ? `optional<${type}>` : type);
    });
    const { type, error } = parsed(typed, this.#rewritten).check();
    if (error !== undefined) throw new Error(summaryOf(error));
    return type ?? 'dyn';
  }

  /**
   * Its value as JSON. `UNKNOWN` where that hangs on a value which is. Throws an Error where there is none; that of an expression
   * that has read a secret says no more, and what comes of one is a secret.
   */
  evaluate(lookup: Lookup): unknown {
    const seen = { secret: false, unknown: false };
    this.#spent = 0;
    try {
      const value = fromCel(this.#program(this.#context(lookup, seen)));
      if (this.#spent > BUDGET) throw new Error(TOO_LONG);
      if (!seen.secret || value === undefined) return value;
      if (typeof value === 'string') return new Secret(value);
      throw new Error('not a text');
    } catch (error) {
      if (seen.unknown) return UNKNOWN;
      throw new Error(seen.secret ? 'it has no value; why is withheld, since it reads a secret' : summaryOf(error));
    }
  }

  #context(lookup: Lookup, seen: { secret: boolean; unknown: boolean }): object {
    const { Optional } = celLibrary();
    const context = {};
    this.uses.forEach(({ reference, how }, index) => {
      const get = () => {
        const value = lookup(reference);
        if (value === UNKNOWN) {
          seen.unknown = true;
          throw new Error('unknown'); // and && and || do without it where they can
        }
        if (how === 'has') return value !== undefined;
        seen.secret ||= hasSecret(value);
        const given = value === undefined ? undefined : toCel(revealSecrets(value), this.#schemas[index]);
        if (how === 'optional') return Optional.of(given);
        if (given === undefined) throw new Error(`${referenceText(reference)} is not there`);
        return given;
      };
      Object.defineProperty(context, `_${index}`, { get, enumerable: true });
    });
    return context;
  }

  /** Counts what each node of the tree costs whenever it is evaluated. The library asks each for its `evaluate`, and exchanges it once. */
  #meter(node: unknown): void {
    if (Array.isArray(node)) for (const child of node) this.#meter(child);
    if (typeof node !== 'object' || node === null || !('op' in node)) return;
    const metered = node as ASTNode & { evaluate: (...args: unknown[]) => unknown };
    if (metered.op === 'rcall' && metered.args[0] === 'matches') throw new Error('matches cannot stand here');
    let { evaluate } = metered;
    const counted = (...args: unknown[]) => {
      if (this.#spent > BUDGET) throw new Error(TOO_LONG);
      const value = evaluate.apply(metered, args);
      this.#spent += 1 + sizeOf(value);
      return value;
    };
    Object.defineProperty(metered, 'evaluate', { get: () => counted, set: (exchanged) => (evaluate = exchanged) });
    this.#meter(metered.args);
  }
}

const TOO_LONG = 'it takes too long: it walks too much';
const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length >> 4;
  return Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0;
};

const hasSecret = (value: unknown): boolean =>
  isSecret(value) || (typeof value === 'object' && value !== null && Object.values(value).some(hasSecret));

function parsed(own: Environment, text: string): ParseResult {
  try {
    return own.parse(text);
  } catch (error) {
    throw new Error(summaryOf(error));
  }
}

/** Of a library's error without its drawing. */
const summaryOf = (error: unknown): string => {
  const { summary, message } = error as { summary?: string; message: string };
  return clean(summary ?? message);
};

/** Each read as a variable, each `matches` as ours; in as many characters, so that every position stays what it is. */
function rewritten(text: string, uses: readonly Use[], matches: Reads['matches']): string {
  let result = text;
  const put = (start: number, end: number, name: string) => {
    result = result.slice(0, start) + name.padEnd(end - start) + result.slice(end);
  };
  for (const [index, { start, end }] of uses.entries()) put(start, end, `_${index}`);
  for (const { start, end } of matches) {
    // Where a comment makes it look otherwise, the call stays what it is, and is refused.
    const [before = '', name = ''] = /\.\s*(matches)\s*\($/.exec(text.slice(start, end).trimEnd()) ?? [];
    const at = text.slice(start, end).lastIndexOf(before) + before.indexOf(name);
    if (name !== '') put(start + at, start + at + name.length, 're2');
  }
  return result;
}
