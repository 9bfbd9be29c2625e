/** Templates: values with `${{ … }}` placeholders. They are parsed once, and their results are never parsed again. */
import type { Path } from '../documents/place.ts';
import { isSecret, revealSecrets, Secret } from '../sdk/secret.ts';
import { Cel } from './cel.ts';
import { type Lookup, plainReference, type Reference, UNKNOWN } from './references.ts';

/** A single reference, or CEL. */
export type Expression = Reference | Cel;

/** A parsed value: a literal, one placeholder, text with placeholders in it, or a tree of these. */
export type Template =
  | { kind: 'literal'; value: unknown }
  | { kind: 'placeholder'; expression: Expression }
  | { kind: 'text'; parts: (string | Expression)[] }
  | { kind: 'list'; items: Template[] }
  | { kind: 'map'; entries: [string, Template][] };

/** Parses the text of one placeholder. Throws an Error that says what is wrong. */
export function parseExpression(text: string): Expression {
  const plain = plainReference(text);
  if (plain !== undefined) return plain;
  try {
    return new Cel(text.trim());
  } catch (error) {
    throw new Error(`\${{ ${text.trim()} }}: ${(error as Error).message}`);
  }
}

/** Parses every placeholder in `value`. `onError` receives the path and message of each problem. */
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
    const end = closingBraces(text, open + 3);
    if (end === undefined) throw new Error('a ${{ is not closed');
    parts.push(parseExpression(text.slice(open + 3, end)));
    at = end + 2;
  }
  if (at < text.length) parts.push(text.slice(at));
  const [only] = parts;
  return parts.length === 1 && typeof only === 'object'
    ? { kind: 'placeholder', expression: only }
    : { kind: 'text', parts };
}

const TOKEN = /"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}]/g;

/** The offset of the `}}` that closes a placeholder. Skips string literals and nested braces. */
function closingBraces(text: string, from: number): number | undefined {
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

export interface PlacedExpression {
  expression: Expression;
  path: Path;
  /** The placeholder is the whole value, without text around it. */
  isWhole: boolean;
}

/** Every expression in a template, with its path. */
export function expressionsIn(template: Template, path: Path = []): PlacedExpression[] {
  switch (template.kind) {
    case 'placeholder':
      return [{ expression: template.expression, path, isWhole: true }];
    case 'text':
      return template.parts
        .filter((part) => typeof part === 'object')
        .map((expression) => ({ expression, path, isWhole: false }));
    case 'list':
      return template.items.flatMap((item, index) => expressionsIn(item, [...path, index]));
    case 'map':
      return template.entries.flatMap(([key, item]) => expressionsIn(item, [...path, key]));
    default:
      return [];
  }
}

export const referencesOf = (expression: Expression): Reference[] =>
  expression.kind === 'cel' ? expression.sites.map(({ reference }) => reference) : [expression];

/** Every reference in a template, with its path. */
export const referencesIn = (template: Template): { reference: Reference; path: Path }[] =>
  expressionsIn(template).flatMap(({ expression, path }) =>
    referencesOf(expression).map((reference) => ({ reference, path })),
  );

function valueOfExpression(expression: Expression, lookup: Lookup): unknown {
  if (expression.kind !== 'cel') return lookup(expression, 'bare');
  try {
    return expression.evaluate(lookup);
  } catch (error) {
    throw new Error(`\${{ ${expression.text} }}: ${(error as Error).message}`);
  }
}

const asText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/**
 * Evaluates a template. A placeholder that is the whole value keeps its type. A key without a value is omitted.
 * Text that contains a secret is a secret. Throws an Error that names the expression without a value.
 */
export function evaluate(template: Template, lookup: Lookup): unknown {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'placeholder':
      return valueOfExpression(template.expression, lookup);
    case 'text': {
      const values = template.parts.map((part) => (typeof part === 'string' ? part : valueOfExpression(part, lookup)));
      if (values.includes(UNKNOWN)) return UNKNOWN;
      const text = values.map((value) => (value === undefined ? '' : asText(revealSecrets(value)))).join('');
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

/** Whether a part of the value is only known after the run. */
export const hasUnknown = (value: unknown): boolean =>
  value === UNKNOWN ||
  (typeof value === 'object' && value !== null && !isSecret(value) && Object.values(value).some(hasUnknown));
