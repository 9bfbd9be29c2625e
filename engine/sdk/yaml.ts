/** YAML from outside (JSON is YAML too), within limits: what is too large, too dense or too tangled is not even parsed. */
import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { clean } from './text.ts';

const BYTES_MAX = 1 << 20;
const ALIASES_MAX = 100;
/** Deeper than anything people write, and far from what ends the stack of those who walk through the value. */
const DEPTH_MAX = 100;
const TOO_DEEP = `nested deeper than ${DEPTH_MAX} levels`;
/** Fifty times what a kubeconfig or a kubelet's configuration has, and read in a quarter of a second. */
const TOKENS_MAX = 30_000;

export interface Reading {
  /** Empty where the text was not even parsed. */
  document: Document.Parsed<ParsedNode>;
  lines: LineCounter;
  /** Undefined where there are errors. */
  value: unknown;
  errors: { offset: number; message: string }[];
}

/** Parses YAML that came from a server or a file. Throws an Error of one line; at most 1 MiB, 30,000 tokens, 100 levels and 100 aliases. */
export function parseYaml(text: string): unknown {
  const { value, errors } = readYaml(text, TOKENS_MAX);
  const [error] = errors;
  if (error !== undefined) throw new Error(clean(error.message));
  return value;
}

/** As `parseYaml`, with every error and where it is, and without an end in an exception. */
export function readYaml(text: string, tokensMax: number): Reading {
  const lines = new LineCounter();
  const refused = (errors: Reading['errors'], document = parsed('', lines)): Reading => ({
    document,
    lines,
    value: undefined,
    errors,
  });
  const tooMuch = excess(text, tokensMax);
  if (tooMuch !== undefined) return refused([{ offset: 0, message: tooMuch }]);
  try {
    const document = parsed(text, lines);
    const errors = document.errors.length > 0 ? document.errors.map(inWords) : tangles(document);
    if (errors.length > 0) return refused(errors, document);
    return { document, lines, value: document.toJS({ maxAliasCount: ALIASES_MAX }), errors };
  } catch (error) {
    // Aliases are only followed by toJS, and so only there found to lead nowhere, or to too much.
    return refused([{ offset: 0, message: error instanceof RangeError ? TOO_DEEP : (error as Error).message }]);
  }
}

/** The stack may end before our limit is looked at. */
const inWords = ({ pos, code, message }: YAMLError): Reading['errors'][number] => ({
  offset: pos[0],
  message: code === 'RESOURCE_EXHAUSTION' ? TOO_DEEP : message,
});

/** A block scalar's head by itself is that many; what is shorter than the limit by so much need not be counted. */
const TOKENS_PER_LETTER_MAX = 4;

/** Splitting into tokens is the cheap part of reading, and ends where there are too many. */
function excess(text: string, tokensMax: number): string | undefined {
  if (Buffer.byteLength(text) > BYTES_MAX) return `larger than ${BYTES_MAX} bytes`;
  if (text.length * TOKENS_PER_LETTER_MAX <= tokensMax) return undefined;
  let tokens = 0;
  for (const _ of new Lexer().lex(text)) if (++tokens > tokensMax) return `more than ${tokensMax} tokens`;
  return undefined;
}

function parsed(text: string, lineCounter: LineCounter): Document.Parsed<ParsedNode> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // there can be an error for each letter, and their stacks take most of the time
  try {
    // Its own search for double keys compares each with each.
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, stringKeys: true });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Double keys, too deep a nest, and too many aliases: each of these is looked up among all anchors. */
function tangles(document: Document.Parsed<ParsedNode>): Reading['errors'] {
  const errors: Reading['errors'] = [];
  let aliases = 0;
  visit(document, {
    Collection(_, node, path) {
      if (path.filter(isCollection).length >= DEPTH_MAX) {
        errors.push({ offset: node.range?.[0] ?? 0, message: TOO_DEEP });
        return visit.BREAK;
      }
      if (isMap(node))
        for (const offset of doubleKeys(node)) errors.push({ offset, message: 'Map keys must be unique' });
      return undefined;
    },
    Alias(_, node, path) {
      aliases++;
      if (path.some((outer) => isCollection(outer) && outer.anchor === node.source)) {
        errors.push({ offset: node.range?.[0] ?? 0, message: `*${node.source} stands in itself` });
        return;
      }
      if (aliases <= ALIASES_MAX && node.resolve(document) === undefined)
        errors.push({ offset: node.range?.[0] ?? 0, message: `there is no anchor ${node.source} before this` });
    },
  });
  if (aliases > ALIASES_MAX) errors.push({ offset: 0, message: `more than ${ALIASES_MAX} aliases` });
  return errors;
}

/** Where each key is that was there before. */
function doubleKeys({ items }: YAMLMap): number[] {
  const offsets: number[] = [];
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) offsets.push(key.range?.[0] ?? 0);
    seen.add(key.value);
  }
  return offsets;
}
