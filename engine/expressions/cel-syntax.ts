/** Finds the references in the syntax tree of an expression, and refuses what an expression must not contain. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from '../sdk/text.ts';
import { type Reference, type Roots, referenceText } from './references.ts';

/** One place in an expression that reads a value. */
export interface ReferenceSite {
  reference: Reference;
  /** `has`: tests whether there is a value. `optional`: written with `.?`, there may be no value. */
  mode: 'read' | 'has' | 'optional';
  /** Evaluated only after `has()` has found a value. */
  isGuarded: boolean;
  start: number;
  end: number;
}

/** Deeper nesting would leave the evaluation budget as the only limit. */
const NESTING_MAX = 3;
const COMPREHENSIONS = ['all', 'exists', 'exists_one', 'map', 'filter'];
const FUNCTIONS = ['has', 'size', 'string', 'int', 'double', 'bool'];
const METHODS = [
  ...COMPREHENSIONS,
  'size',
  'startsWith',
  'endsWith',
  'contains',
  'matches',
  'lowerAscii',
  'upperAscii',
  'trim',
  'indexOf',
  'lastIndexOf',
  'substring',
  'split',
  'join',
  'orValue',
  'or',
  'hasValue',
];

interface Bindings {
  /** Variables of the enclosing comprehensions. */
  locals: readonly string[];
  /** References that are known to have a value. */
  present: readonly string[];
}

/** Walks a syntax tree once. Throws an Error if the expression contains anything it must not. */
export class ExpressionSyntax {
  readonly sites: ReferenceSite[] = [];
  /** Calls of `matches`: the range that holds the name, and the pattern if it is a literal. */
  readonly matches: { start: number; end: number; pattern: string | undefined }[] = [];

  readonly #roots: Roots;

  constructor(ast: ASTNode, roots: Roots) {
    this.#roots = roots;
    this.#walk(ast, { locals: [], present: [] });
  }

  #walk(node: ASTNode, bindings: Bindings): void {
    const { locals, present } = bindings;
    switch (node.op) {
      case 'value':
        return;
      case 'id':
        if (!locals.includes(node.args)) throw new Error(notAValue(node.args, this.#roots));
        return;
      case '.':
      case '.?':
      case '[]':
      case '[?]':
        this.#access(node, bindings);
        return;
      case 'call':
        this.#call(node.args[0], node.args[1], node, bindings);
        return;
      case 'rcall':
        this.#method(...node.args, node, bindings);
        return;
      case '&&':
      case '||': {
        const [left, right] = node.args;
        this.#walk(left, bindings);
        const known = presentWhen(left, node.op === '&&' ? 'true' : 'false', this.#roots);
        this.#walk(right, { locals, present: [...present, ...known] });
        return;
      }
      case '?:': {
        const [condition, then, otherwise] = node.args;
        this.#walk(condition, bindings);
        this.#walk(then, { locals, present: [...present, ...presentWhen(condition, 'true', this.#roots)] });
        this.#walk(otherwise, { locals, present: [...present, ...presentWhen(condition, 'false', this.#roots)] });
        return;
      }
      default:
        for (const child of [node.args].flat(2)) this.#walk(child as ASTNode, bindings);
    }
  }

  #access(node: ASTNode, bindings: Bindings): void {
    const found = referenceAt(node, bindings.locals, this.#roots);
    if (found !== undefined) {
      this.#addSite(node, found.isOptional ? 'optional' : 'read', found.reference, bindings);
      return;
    }
    const [left, right] = node.args as [ASTNode, ASTNode | string];
    this.#walk(left, bindings);
    if (typeof right !== 'string') this.#walk(right, bindings);
  }

  #addSite({ start, end }: ASTNode, mode: ReferenceSite['mode'], reference: Reference, { present }: Bindings): void {
    const isGuarded = present.includes(referenceText(reference));
    this.sites.push({ reference, mode, isGuarded, start, end });
  }

  #call(name: string, args: readonly ASTNode[], node: ASTNode, bindings: Bindings): void {
    if (!FUNCTIONS.includes(name)) throw new Error(`there is no function ${name}${didYouMean(name, FUNCTIONS)}`);
    const [first] = args;
    const found = name === 'has' && first !== undefined ? referenceAt(first, bindings.locals, this.#roots) : undefined;
    if (found !== undefined) this.#addSite(node, 'has', found.reference, bindings);
    else for (const arg of args) this.#walk(arg, bindings);
  }

  #method(name: string, receiver: ASTNode, args: readonly ASTNode[], node: ASTNode, bindings: Bindings): void {
    if (!METHODS.includes(name)) throw new Error(`there is no method ${name}${didYouMean(name, METHODS)}`);
    this.#walk(receiver, bindings);
    if (!COMPREHENSIONS.includes(name)) {
      for (const arg of args) this.#walk(arg, bindings);
      if (name === 'matches') this.#matches(receiver, args[0], node);
      return;
    }
    const [variable, ...bodies] = args;
    if (variable?.op !== 'id') throw new Error(`${name} needs a variable for each item: ${name}(item, …)`);
    const local = variable.args;
    if (this.#roots.names.includes(local) || local.startsWith('_'))
      throw new Error(`a variable cannot be called ${local}: choose another name`);
    if (bindings.locals.length === NESTING_MAX)
      throw new Error(`comprehensions can be nested at most ${NESTING_MAX} deep`);
    for (const body of bodies) this.#walk(body, { ...bindings, locals: [...bindings.locals, local] });
  }

  #matches(receiver: ASTNode, pattern: ASTNode | undefined, node: ASTNode): void {
    const literal = pattern?.op === 'value' && typeof pattern.args === 'string' ? pattern.args : undefined;
    this.matches.push({ start: receiver.end, end: pattern?.start ?? node.end, pattern: literal });
  }
}

/** The references that certainly have a value when `node` evaluates to `outcome`. */
export function presentWhen(node: ASTNode, outcome: 'true' | 'false', roots: Roots): string[] {
  if (node.op === '!_') return presentWhen(node.args, outcome === 'true' ? 'false' : 'true', roots);
  if (node.op === (outcome === 'true' ? '&&' : '||'))
    return node.args.flatMap((part) => presentWhen(part, outcome, roots));
  if (outcome === 'false' || node.op !== 'call' || node.args[0] !== 'has') return [];
  const [argument] = node.args[1];
  const found = argument === undefined ? undefined : referenceAt(argument, [], roots);
  return found === undefined ? [] : [referenceText(found.reference)];
}

/** The reference at `node`, without the accesses that follow it. Throws an Error for an incomplete reference. */
function referenceAt(
  node: ASTNode,
  locals: readonly string[],
  roots: Roots,
): { reference: Reference; isOptional: boolean } | undefined {
  const names: string[] = [];
  let isOptional = false;
  let at = node;
  while (at.op === '.' || at.op === '.?' || at.op === '[]' || at.op === '[?]') {
    const [left, right] = at.args as [ASTNode, ASTNode | string];
    names.unshift(nameIn(right));
    isOptional ||= at.op === '.?' || at.op === '[?]';
    at = left;
  }
  if (at.op !== 'id' || locals.includes(at.args)) return undefined;
  const reference = referenceOf(at.args, names, roots);
  return reference === undefined ? undefined : { reference, isOptional };
}

/** The name in an access such as `.x` or `["x"]`; empty if it is not a literal. */
function nameIn(access: ASTNode | string): string {
  if (typeof access === 'string') return access;
  return access.op === 'value' && typeof access.args === 'string' ? access.args : '';
}

/** Undefined for a part of a referenced value. Throws an Error for an incomplete reference. */
function referenceOf(root: string, names: readonly string[], roots: Roots): Reference | undefined {
  const [first = '', part, last = ''] = names;
  const isOfSteps = root === 'steps';
  const kind = roots.kinds[root];
  if (!roots.names.includes(root)) throw new Error(notAValue(root, roots));
  const stepLength = part === 'status' ? 2 : 3;
  const length = isOfSteps ? stepLength : 1;
  if (names.slice(0, length).includes('')) throw new Error(`names must be literals: ${root}["x"]`);
  if (isOfSteps && part !== undefined && part !== 'outputs' && part !== 'status')
    throw new Error(`a step has outputs and status, but no ${part}`);
  if (names.length > length) return undefined;
  if (names.length < length) throw new Error(`${[root, ...names].join('.')} is not a value: ${roots.forms}`);
  if (kind !== undefined) return { kind, name: first };
  return part === 'status' ? { kind: 'status', step: first } : { kind: 'output', step: first, name: last };
}

const notAValue = (name: string, { names, forms }: Roots): string =>
  names.includes(name)
    ? `${name} is not a value: ${forms}`
    : `there is no ${name}${didYouMean(name, names) || `: ${forms}`}`;
