/** YAML and JSON from untrusted sources, within limits on size, depth and aliases. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { LIMITS } from '../limits/sizes.ts';
import { clean, maskTokens } from './text.ts';
import { ALIASES_MAX, type Dialect, plainValue, TOO_MANY_ALIASES, YAML_OPTIONS } from './yaml-dialects.ts';
import { DEPTH_MAX, duplicateKey, TOO_DEEP, YAML_FAULTS, yamlFault } from './yaml-faults.ts';

/** Fifty times the size of a kubeconfig, and still parsed within a quarter of a second. */
const TOKENS_MAX = 30_000;

export interface Reading {
  /** Empty if the text was not parsed. */
  document: Document.Parsed<ParsedNode>;
  lines: LineCounter;
  /** Undefined if there are errors. */
  value: unknown;
  errors: { offset: number; message: string }[];
}

/**
 * Parses YAML or JSON of Kubernetes, from a server or a file, as Go does: at most 1 MiB, 30,000 tokens, 100 levels and
 * 100 aliases. An integer beyond 2^53 becomes `{ $integer: '9223372036854775807' }`. Throws an Error with a message of
 * one line.
 * @stable
 */
export function parseYaml(text: string): unknown {
  const { value, errors, lines } = readYaml(text, { dialect: 'go', tokensMax: TOKENS_MAX });
  const [error] = errors;
  if (error === undefined) return value;
  const place = error.offset === 0 ? '' : `line ${lines.linePos(error.offset).line}: `; // at 0: of the whole text
  throw new Error(maskTokens(clean(`${place}${error.message}`)));
}

/** Parses YAML, and returns every error with its position instead of throwing. */
export function readYaml(text: string, { dialect, tokensMax }: { dialect: Dialect; tokensMax: number }): Reading {
  const lines = new LineCounter();
  const refused = (errors: Reading['errors'], document = emptyDocument(lines)): Reading => ({
    document,
    lines,
    value: undefined,
    errors,
  });
  const tooMuch = excess(text, tokensMax);
  if (tooMuch !== undefined) return refused([{ offset: 0, message: tooMuch }]);
  try {
    const { document, second } = parsed(text, lines, dialect);
    const errors = document.errors.map(toProblem);
    if (second !== undefined) errors.push({ offset: second, message: YAML_FAULTS.MULTIPLE_DOCS });
    if (errors.length === 0) errors.push(...structureErrors(document));
    if (errors.length > 0) return refused(errors, document);
    return { document, lines, value: plainValue(document), errors };
  } catch (error) {
    // Only toJS follows aliases, so only here do they turn out to be unresolved or excessive.
    return refused([{ offset: 0, message: error instanceof RangeError ? TOO_DEEP : (error as Error).message }]);
  }
}

/** The library may run out of stack before the depth limit is checked. */
const toProblem = (error: YAMLError): Reading['errors'][number] => ({
  offset: error.pos[0],
  message: yamlFault(error),
});

/** The most tokens that one character can produce (the header of a block scalar). A short text need not be counted. */
const TOKENS_PER_LETTER_MAX = 4;

/** Counts the tokens, which is cheap, and stops at the limit. */
function excess(text: string, tokensMax: number): string | undefined {
  if (Buffer.byteLength(text) > LIMITS.text) return `larger than ${LIMITS.text} bytes`;
  if (text.length * TOKENS_PER_LETTER_MAX <= tokensMax) return undefined;
  let tokens = 0;
  for (const _ of new Lexer().lex(text)) if (++tokens > tokensMax) return `more than ${tokensMax} tokens`;
  return undefined;
}

/** The one document of a text that may also have empty ones, and the offset of a second one if there is any. */
function parsed(
  text: string,
  lineCounter: LineCounter,
  dialect: Dialect,
): { document: Document.Parsed<ParsedNode>; second: number | undefined } {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // there can be an error for each character, and stack traces would take most of the time
  try {
    // The library's own check for duplicate keys takes quadratic time.
    const all = parseAllDocuments<ParsedNode>(text, { ...YAML_OPTIONS[dialect], lineCounter, uniqueKeys: false });
    const [first, second] = all.filter(({ contents, errors }) => !isNothing(contents) || errors.length > 0);
    const document = first ?? emptyDocument(lineCounter);
    return { document, second: second?.range[0] };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const emptyDocument = (lineCounter: LineCounter): Document.Parsed<ParsedNode> =>
  parseDocument('', { prettyErrors: false, lineCounter });

/** Whether a document says nothing. An explicit `null` or `~` is something. */
export const isNothing = (contents: ParsedNode | null): boolean =>
  contents === null || (isScalar(contents) && contents.value === null && contents.source === '');

/** Finds duplicate keys, excessive depth and excessive aliases. The library looks up each alias among all anchors. */
function structureErrors(document: Document.Parsed<ParsedNode>): Reading['errors'] {
  const errors: Reading['errors'] = [];
  let aliases = 0;
  visit(document, {
    Collection(_, node, path) {
      if (path.filter(isCollection).length >= DEPTH_MAX) {
        errors.push({ offset: node.range?.[0] ?? 0, message: TOO_DEEP });
        return visit.BREAK;
      }
      if (isMap(node))
        for (const { offset, key } of duplicateKeys(node)) errors.push({ offset, message: duplicateKey(key) });
      return undefined;
    },
    Alias(_, node, path) {
      aliases++;
      if (path.some((outer) => isCollection(outer) && outer.anchor === node.source)) {
        errors.push({ offset: node.range?.[0] ?? 0, message: `*${node.source} refers to itself` });
        return;
      }
      if (aliases <= ALIASES_MAX && node.resolve(document) === undefined)
        errors.push({ offset: node.range?.[0] ?? 0, message: `anchor ${node.source} is not defined before this line` });
    },
  });
  if (aliases > ALIASES_MAX) errors.push({ offset: 0, message: TOO_MANY_ALIASES });
  if (aliases > 0 && errors.length === 0 && expandedSize(document) > LIMITS.text)
    errors.push({ offset: 0, message: EXPANDS });
  return errors;
}

const EXPANDS = `larger than ${LIMITS.text} bytes with its aliases expanded`;

/**
 * Throws an Error if the document would be too large with its aliases expanded. Parsing shares what an alias refers to,
 * but a writer expands it.
 */
export function requireExpandable(document: Document.Parsed<ParsedNode>): void {
  if (expandedSize(document) > LIMITS.text) throw new Error(EXPANDS);
}

/** The characters of all scalars, and one for each node, with every alias expanded. Stops where it is too large. */
function expandedSize(document: Document.Parsed<ParsedNode>): number {
  const anchors = new Map<string, number>();
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) return anchors.get(node.source) ?? 1;
    if (isPair(node)) return sizeOf(node.key) + sizeOf(node.value);
    let size = 1;
    if (isScalar(node)) size += String(node.source ?? node.value ?? '').length;
    if (isCollection(node)) for (const item of node.items) size += size > LIMITS.text ? 0 : sizeOf(item);
    const { anchor } = (node ?? {}) as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, size);
    return size;
  };
  return sizeOf(document.contents);
}

/** The offset of every repeated key. */
function duplicateKeys({ items }: YAMLMap): { offset: number; key: string }[] {
  const found: { offset: number; key: string }[] = [];
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key) || key.value === '<<') continue;
    if (seen.has(key.value)) found.push({ offset: key.range?.[0] ?? 0, key: String(key.value) });
    seen.add(key.value);
  }
  return found;
}
