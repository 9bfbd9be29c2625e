/** What an expression reads, found in its syntax tree; and what it may not say, refused there. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from '../sdk/text.ts';
import { isRoot, type Reference, ROOTS, referenceText } from './references.ts';

/** One place in an expression at which a value is read. */
export interface Use {
  reference: Reference;
  /** `has`: only whether there is one. `optional`: with `.?`, where there may be none. */
  how: 'read' | 'has' | 'optional';
  /** It is only read where `has()` has found it there. */
  isGuarded: boolean;
  start: number;
  end: number;
}

/** Lists in lists in lists: more of them, and the budget would be all that stands between an expression and an hour. */
const NESTING_MAX = 3;
const COMPREHENSIONS = ['all', 'exists', 'exists_one', 'map', 'filter'];
const FUNCTIONS = ['has', 'size', 'string', 'int', 'double', 'bool'];
const METHODS = [
  ...COMPREHENSIONS,
  ...['size', 'startsWith', 'endsWith', 'contains', 'matches', 'lowerAscii', 'upperAscii', 'trim'],
  ...['indexOf', 'lastIndexOf', 'substring', 'split', 'join', 'orValue', 'or', 'hasValue'],
];
const WRITE = 'write inputs.x, host.x, gates.X, run.status, or steps["x"].outputs.y';

interface Scope {
  /** Variables of comprehensions. */
  locals: readonly string[];
  /** References that are known to be there. */
  present: readonly string[];
}

/** Walks a tree once. Throws an Error that says what an expression may not be. */
export class Reads {
  readonly uses: Use[] = [];
  /** Calls of `matches`: where each name may stand, and the pattern, where it is written out. */
  readonly matches: { start: number; end: number; pattern: string | undefined }[] = [];

  constructor(ast: ASTNode) {
    this.#walk(ast, { locals: [], present: [] });
  }

  #walk(node: ASTNode, scope: Scope): void {
    const { locals, present } = scope;
    switch (node.op) {
      case 'value':
        return;
      case 'id':
        if (!locals.includes(node.args)) throw new Error(notAValue(node.args));
        return;
      case '.':
      case '.?':
      case '[]':
      case '[?]':
        this.#access(node, scope);
        return;
      case 'call':
        this.#call(node.args[0], node.args[1], node, scope);
        return;
      case 'rcall':
        this.#method(...node.args, node, scope);
        return;
      case '&&':
      case '||': {
        const [left, right] = node.args;
        this.#walk(left, scope);
        const known = node.op === '&&' ? presentWhere(left, true) : presentWhere(left, false);
        this.#walk(right, { locals, present: [...present, ...known] });
        return;
      }
      case '?:': {
        const [condition, then, otherwise] = node.args;
        this.#walk(condition, scope);
        this.#walk(then, { locals, present: [...present, ...presentWhere(condition, true)] });
        this.#walk(otherwise, { locals, present: [...present, ...presentWhere(condition, false)] });
        return;
      }
      default:
        for (const child of [node.args].flat(2)) this.#walk(child as ASTNode, scope);
    }
  }

  #access(node: ASTNode, scope: Scope): void {
    const found = referenceAt(node, scope.locals);
    if (found !== undefined) {
      this.#use(node, found.isOptional ? 'optional' : 'read', found.reference, scope);
      return;
    }
    const [left, right] = node.args as [ASTNode, ASTNode | string];
    this.#walk(left, scope);
    if (typeof right !== 'string') this.#walk(right, scope);
  }

  #use({ start, end }: ASTNode, how: Use['how'], reference: Reference, { present }: Scope): void {
    const isGuarded = present.includes(referenceText(reference));
    this.uses.push({ reference, how, isGuarded, start, end });
  }

  #call(name: string, args: readonly ASTNode[], node: ASTNode, scope: Scope): void {
    if (!FUNCTIONS.includes(name)) throw new Error(`there is no function ${name}${didYouMean(name, FUNCTIONS)}`);
    const [first] = args;
    const found = name === 'has' && first !== undefined ? referenceAt(first, scope.locals) : undefined;
    if (found !== undefined) this.#use(node, 'has', found.reference, scope);
    else for (const arg of args) this.#walk(arg, scope);
  }

  #method(name: string, receiver: ASTNode, args: readonly ASTNode[], node: ASTNode, scope: Scope): void {
    if (!METHODS.includes(name)) throw new Error(`there is no method ${name}${didYouMean(name, METHODS)}`);
    this.#walk(receiver, scope);
    if (!COMPREHENSIONS.includes(name)) {
      for (const arg of args) this.#walk(arg, scope);
      if (name === 'matches') this.#matches(receiver, args[0], node);
      return;
    }
    const [variable, ...bodies] = args;
    if (variable?.op !== 'id') throw new Error(`${name} needs a name for each item: ${name}(item, …)`);
    const local = variable.args;
    if (isRoot(local) || local === 'steps' || local.startsWith('_'))
      throw new Error(`an item cannot be called ${local}: choose another name`);
    if (scope.locals.length === NESTING_MAX)
      throw new Error(`more than ${NESTING_MAX} lists are walked inside each other`);
    for (const body of bodies) this.#walk(body, { ...scope, locals: [...scope.locals, local] });
  }

  #matches(receiver: ASTNode, pattern: ASTNode | undefined, node: ASTNode): void {
    const literal = pattern?.op === 'value' && typeof pattern.args === 'string' ? pattern.args : undefined;
    this.matches.push({ start: receiver.end, end: pattern?.start ?? node.end, pattern: literal });
  }
}

/** What is known to be there where `node` is true (or false). */
export function presentWhere(node: ASTNode, isTrue: boolean): string[] {
  if (node.op === '!_') return presentWhere(node.args, !isTrue);
  if (node.op === (isTrue ? '&&' : '||')) return node.args.flatMap((part) => presentWhere(part, isTrue));
  if (!isTrue || node.op !== 'call' || node.args[0] !== 'has') return [];
  const [argument] = node.args[1];
  const found = argument === undefined ? undefined : referenceAt(argument, []);
  return found === undefined ? [] : [referenceText(found.reference)];
}

/** The reference that `node` is, whole: what follows it is looked at by itself. Throws where one is begun and comes to nothing. */
function referenceAt(
  node: ASTNode,
  locals: readonly string[],
): { reference: Reference; isOptional: boolean } | undefined {
  const names: string[] = [];
  let isOptional = false;
  let at = node;
  while (at.op === '.' || at.op === '.?' || at.op === '[]' || at.op === '[?]') {
    const [left, right] = at.args as [ASTNode, ASTNode | string];
    const name = typeof right === 'string' ? right : right.op === 'value' ? right.args : undefined;
    names.unshift(typeof name === 'string' ? name : '');
    isOptional ||= at.op === '.?' || at.op === '[?]';
    at = left;
  }
  if (at.op !== 'id' || locals.includes(at.args)) return undefined;
  const reference = referenceOf(at.args, names);
  return reference === undefined ? undefined : { reference, isOptional };
}

/** Undefined for a value inside of one; throws for what is not one yet. */
function referenceOf(root: string, names: readonly string[]): Reference | undefined {
  const [first = '', part, last = ''] = names;
  const isOfSteps = root === 'steps';
  if (!isOfSteps && !isRoot(root)) throw new Error(notAValue(root));
  const wanted = !isOfSteps ? 1 : part === 'status' ? 2 : 3;
  if (names.slice(0, wanted).includes('')) throw new Error(`names are written out: ${root}["x"]`);
  if (isOfSteps && part !== undefined && part !== 'outputs' && part !== 'status')
    throw new Error(`a step has outputs and a status, but no ${part}`);
  if (names.length > wanted) return undefined;
  if (names.length < wanted) throw new Error(`${[root, ...names].join('.')} is not a value: ${WRITE}`);
  if (!isOfSteps) return { kind: ROOTS[root as keyof typeof ROOTS], name: first };
  return part === 'status' ? { kind: 'status', step: first } : { kind: 'output', step: first, name: last };
}

const notAValue = (name: string): string =>
  isRoot(name) || name === 'steps'
    ? `${name} is not a value: ${WRITE}`
    : `there is no ${name}${didYouMean(name, [...Object.keys(ROOTS), 'steps']) || `: ${WRITE}`}`;
