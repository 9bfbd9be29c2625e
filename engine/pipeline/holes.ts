/** `${{ … }}` in a pipeline: references to inputs, host facts, feature gates and outputs. Parsed once; what they yield is never parsed again. */
import { isSecret, revealed, Secret } from '../sdk/secret.ts';

export type Reference =
  | { kind: 'input'; name: string }
  | { kind: 'host'; name: string }
  | { kind: 'gate'; name: string }
  | { kind: 'output'; step: string; name: string };

/** A parsed value: a literal, one reference, text with references in it, or a tree of these. */
export type Template =
  | { kind: 'literal'; value: unknown }
  | { kind: 'hole'; reference: Reference }
  | { kind: 'text'; parts: (string | Reference)[] }
  | { kind: 'list'; items: Template[] }
  | { kind: 'map'; entries: [string, Template][] };

const HOLE = /\$\{\{(.*?)\}\}/gs;
const IDENT = String.raw`(?:\.([A-Za-z_]\w*)|\["([^"\]]+)"\])`;
const SIMPLE = new RegExp(`^(inputs|host|gates)${IDENT}$`);
const KINDS = { inputs: 'input', host: 'host', gates: 'gate' } as const;
const OUTPUT = new RegExp(`^steps${IDENT}\\.outputs${IDENT}$`);

/** Throws an Error with the offending expression. */
function parseReference(expression: string): Reference {
  const text = expression.trim();
  const simple = SIMPLE.exec(text);
  if (simple !== null) return { kind: KINDS[simple[1] as keyof typeof KINDS], name: simple[2] ?? simple[3] ?? '' };
  const output = OUTPUT.exec(text);
  if (output !== null)
    return { kind: 'output', step: output[1] ?? output[2] ?? '', name: output[3] ?? output[4] ?? '' };
  throw new Error(`\${{ ${text} }} is no reference: write inputs.x, host.x, gates.X, or steps["x"].outputs.y`);
}

/** Parses every hole in `value`; `onError` gets the path and message of each that is wrong. */
export function parseTemplate(
  value: unknown,
  onError: (path: (string | number)[], message: string) => void,
  path: (string | number)[] = [],
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
  const parts: (string | Reference)[] = [];
  let end = 0;
  for (const match of text.matchAll(HOLE)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(parseReference(match[1] ?? ''));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  if (parts.some((part) => typeof part === 'string' && part.includes('${{'))) throw new Error('a ${{ is never closed');
  const [only] = parts;
  return parts.length === 1 && typeof only === 'object' ? { kind: 'hole', reference: only } : { kind: 'text', parts };
}

/** Every reference in a template, each with the path it stands at. */
export function references(
  template: Template,
  path: (string | number)[] = [],
): { reference: Reference; path: (string | number)[]; whole: boolean }[] {
  switch (template.kind) {
    case 'hole':
      return [{ reference: template.reference, path, whole: true }];
    case 'text':
      return template.parts
        .filter((part) => typeof part === 'object')
        .map((reference) => ({ reference, path, whole: false }));
    case 'list':
      return template.items.flatMap((item, index) => references(item, [...path, index]));
    case 'map':
      return template.entries.flatMap(([key, item]) => references(item, [...path, key]));
    default:
      return [];
  }
}

const inText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** The value of a template. A hole keeps its value's type; one whose value is undefined leaves its key out. Text around a secret is secret. */
export function evaluate(template: Template, lookup: (reference: Reference) => unknown): unknown {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'hole':
      return lookup(template.reference);
    case 'text': {
      const values = template.parts.map((part) => (typeof part === 'string' ? part : lookup(part)));
      const text = values.map((value) => (value === undefined ? '' : inText(revealed(value)))).join('');
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
