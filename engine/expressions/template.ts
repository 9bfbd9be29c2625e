/** `${{ … }}` in a pipeline: expressions in the middle of data. Parsed once; what they yield is never parsed again. */
import { isSecret, revealSecrets, Secret } from '../sdk/secret.ts';
import { Cel } from './cel.ts';
import { type Lookup, plainReference, type Reference, UNKNOWN } from './references.ts';

/** A reference by itself, or CEL. */
export type Expression = Reference | Cel;

/** A parsed value: a literal, one expression, text with expressions in it, or a tree of these. */
export type Template =
  | { kind: 'literal'; value: unknown }
  | { kind: 'hole'; expression: Expression }
  | { kind: 'text'; parts: (string | Expression)[] }
  | { kind: 'list'; items: Template[] }
  | { kind: 'map'; entries: [string, Template][] };

export type Path = (string | number)[];

/** A reference where it is one, which needs no library; else CEL. Throws an Error with what is wrong. */
export function parseExpression(text: string): Expression {
  const plain = plainReference(text);
  if (plain !== undefined) return plain;
  try {
    return new Cel(text.trim());
  } catch (error) {
    throw new Error(`\${{ ${text.trim()} }}: ${(error as Error).message}`);
  }
}

/** Parses every hole in `value`; `onError` gets the path and message of each that is wrong. */
export function parseTemplate(
  value: unknown,
  onError: (path: Path, message: string) => void,
  path: Path = [],
): Template {
  if (Array.isArray(value))
    return { kind: 'list', items: value.map((item, index) => parseTemplate(item, onError, [...path, index])) };
  if (typeof value === 'object' && value !== null)
    return {
      kind: 'map',
      entries: Object.entries(value).map(([key, item]) => [key, parseTemplate(item, onError, [...path, key])]),
    };
  if (typeof value !== 'string' || !value.includes('${{')) return { kind: 'literal', value };
  try {
    return parseText(value);
  } catch (error) {
    onError(path, (error as Error).message);
    return { kind: 'literal', value: undefined };
  }
}

function parseText(text: string): Template {
  const parts: (string | Expression)[] = [];
  let at = 0;
  for (let open = text.indexOf('${{'); open !== -1; open = text.indexOf('${{', at)) {
    if (open > at) parts.push(text.slice(at, open));
    const end = endOf(text, open + 3);
    if (end === undefined) throw new Error('a ${{ is never closed');
    parts.push(parseExpression(text.slice(open + 3, end)));
    at = end + 2;
  }
  if (at < text.length) parts.push(text.slice(at));
  const [only] = parts;
  return parts.length === 1 && typeof only === 'object' ? { kind: 'hole', expression: only } : { kind: 'text', parts };
}

const TOKEN = /"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}]/g;

/** Where the `}}` stands that closes a hole: not in a text, nor where braces of its own are open. */
function endOf(text: string, from: number): number | undefined {
  const first = text.indexOf('}}', from);
  if (first === -1) return undefined;
  if (plainReference(text.slice(from, first)) !== undefined) return first;
  let depth = 0;
  TOKEN.lastIndex = from;
  for (let token = TOKEN.exec(text); token !== null; token = TOKEN.exec(text)) {
    if (token[0] === '{') depth++;
    else if (token[0] === '}' && depth > 0) depth--;
    else if (token[0] === '}' && text[token.index + 1] === '}') return token.index;
  }
  return undefined;
}

export interface Placed {
  expression: Expression;
  path: Path;
  /** It fills its value. */
  whole: boolean;
}

/** Every expression in a template, each with the path it stands at. */
export function expressions(template: Template, path: Path = []): Placed[] {
  switch (template.kind) {
    case 'hole':
      return [{ expression: template.expression, path, whole: true }];
    case 'text':
      return template.parts
        .filter((part) => typeof part === 'object')
        .map((expression) => ({ expression, path, whole: false }));
    case 'list':
      return template.items.flatMap((item, index) => expressions(item, [...path, index]));
    case 'map':
      return template.entries.flatMap(([key, item]) => expressions(item, [...path, key]));
    default:
      return [];
  }
}

/** What an expression reads. */
export const readsOf = (expression: Expression): Reference[] =>
  expression.kind === 'cel' ? expression.uses.map(({ reference }) => reference) : [expression];

/** Every reference in a template, each with the path it stands at. */
export const references = (template: Template): { reference: Reference; path: Path }[] =>
  expressions(template).flatMap(({ expression, path }) =>
    readsOf(expression).map((reference) => ({ reference, path })),
  );

/** An Error of it says which one has no value. */
function valueOfExpression(expression: Expression, lookup: Lookup): unknown {
  if (expression.kind !== 'cel') return lookup(expression, true);
  try {
    return expression.evaluate(lookup);
  } catch (error) {
    throw new Error(`\${{ ${expression.text} }}: ${(error as Error).message}`);
  }
}

const inText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** The value of a template. A hole keeps its value's type; one whose value is undefined leaves its key out. Text around a secret is secret. */
export function evaluate(template: Template, lookup: Lookup): unknown {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'hole':
      return valueOfExpression(template.expression, lookup);
    case 'text': {
      const values = template.parts.map((part) => (typeof part === 'string' ? part : valueOfExpression(part, lookup)));
      if (values.includes(UNKNOWN)) return UNKNOWN;
      const text = values.map((value) => (value === undefined ? '' : inText(revealSecrets(value)))).join('');
      return values.some(isSecret) ? new Secret(text) : text;
    }
    case 'list':
      return template.items.map((item) => evaluate(item, lookup)).filter((item) => item !== undefined);
    case 'map':
      return Object.fromEntries(
        template.entries.map(([key, item]) => [key, evaluate(item, lookup)]).filter(([, item]) => item !== undefined),
      );
  }
}

/** A part of the value is only known after the run. */
export const hasUnknown = (value: unknown): boolean =>
  value === UNKNOWN ||
  (typeof value === 'object' && value !== null && !isSecret(value) && Object.values(value).some(hasUnknown));
