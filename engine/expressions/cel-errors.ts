/** Our own sentence for each error of the CEL library. It names the part of the expression, never the library. */
import { clean } from '../sdk/text.ts';

/** An error whose message is ours already. The library passes it on as it is. */
export class ExpressionError extends Error {}

/** What the library's errors say beside their sentence, which serves to find types and names. */
interface LibraryError {
  code?: string;
  summary?: string;
  node?: { start: number; end: number };
}
interface Facts {
  /** What stands where the error is, in quotes; undefined if it is the end of the expression. */
  found: string | undefined;
  /** What the library quotes: types, a name, a size. */
  quoted: string[];
  summary: string;
}
type Sentence = (facts: Facts) => string;

const PART_MAX = 60;

/**
 * What is wrong with the expression `text`, or with the part of it that the error of the library points at. `sites` are
 * the references in it: the library sees a short variable in place of each.
 */
export function expressionProblem(
  error: unknown,
  text: string,
  sites: readonly { start: number; end: number }[] = [],
): string {
  if (error instanceof ExpressionError) return error.message;
  const { code = '', summary = '', node = { start: 0, end: text.length } } = error as LibraryError;
  const site = sites.find(({ start, end }) => node.end > start && node.end < end);
  const at = clean(text.slice(node.start, site?.end ?? node.end));
  const part = SENTENCES[code] !== undefined && !isBalanced(at) ? clean(text) : at;
  const found = part === '' ? undefined : `"${part.length > PART_MAX ? `${part.slice(0, PART_MAX)}…` : part}"`;
  const quoted = [...summary.matchAll(/'([^']*)'|\((\d+)\)/g)].map(([, name, size]) => plainType(name ?? size ?? ''));
  const facts: Facts = { found, quoted, summary };
  const syntax = SYNTAX[code];
  if (syntax !== undefined) return clean(`syntax error at ${placeIn(text, node.start)}: ${syntax(facts)}`);
  const sentence = SENTENCES[code];
  if (sentence === undefined) return `${found ?? 'it'} cannot be evaluated`;
  return clean(sentence(facts) + (found === undefined || part === clean(text) ? '' : `, in ${found}`));
}

/** The library counts no parentheses at the edges of a part. */
const isBalanced = (part: string): boolean => part.split('(').length === part.split(')').length;

/** A type as people write it: the library marks a type that it found in a value as `dyn<…>`. */
const plainType = (type: string): string => type.replace(/^dyn<(.+)>$/, '$1');

/** `LINE:COLUMN` in the expression, from 1. */
function placeIn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}

const TOKENS: Record<string, string> = {
  RPAREN: '")"',
  RBRACKET: '"]"',
  RBRACE: '"}"',
  COLON: '":"',
  DOT: '"."',
  IDENTIFIER: 'a name',
};
const notExpected: Sentence = ({ found }) =>
  found === undefined ? 'the expression ends too early' : `${found} is not expected here`;
const notANumber: Sentence = ({ found }) => `${found} is not a number`;
const notClosed: Sentence = () => 'the quotes are not closed';
const notAnEscape: Sentence = ({ found }) => `${found} is not an escape sequence`;

const SYNTAX: Record<string, Sentence | undefined> = {
  unexpected_character: notExpected,
  unexpected_token: notExpected,
  expected_token: (facts) => {
    const token = TOKENS[/^Expected (\w+)/.exec(facts.summary)?.[1] ?? ''];
    return token === undefined ? notExpected(facts) : `${token} is missing before ${facts.found ?? 'the end'}`;
  },
  invalid_number: notANumber,
  invalid_integer: notANumber,
  invalid_hex_integer: notANumber,
  invalid_exponent: () => 'the exponent has no digits',
  newline_in_string: () => 'a text in quotes cannot contain a line break: write \\n, or use three quotes',
  unterminated_string: notClosed,
  unterminated_triple_quoted_string: notClosed,
  bytes_unicode_escape: notAnEscape,
  invalid_unicode_escape: notAnEscape,
  invalid_unicode_surrogate: notAnEscape,
  invalid_hex_escape: notAnEscape,
  invalid_octal_escape: notAnEscape,
  octal_escape_out_of_range: notAnEscape,
  invalid_escape_sequence: notAnEscape,
  reserved_identifier: ({ found }) => `${found} is a reserved word`,
  limit_exceeded: ({ summary, quoted: [size = ''] }) => `${LIMIT_NAMES[summary.split(' ')[1] ?? '']} (at most ${size})`,
};
const LIMIT_NAMES: Record<string, string> = {
  maxAstNodes: 'the expression has too many parts',
  maxDepth: 'the expression is nested too deeply',
  maxListElements: 'the list has too many items',
  maxMapEntries: 'the map has too many entries',
  maxCallArguments: 'the call has too many arguments',
};

const notConvertible: Sentence = ({ summary }) =>
  `the value cannot be converted to ${/^\w+/.exec(summary)?.[0] ?? 'this type'}`;
const tooLarge: Sentence = () => 'the result does not fit into an integer of 64 bits';
const wrongType: Sentence = ({ quoted: [, expected, actual] }) =>
  `the value has type ${actual}, but its schema says ${expected}`;
const noOverload: Sentence = ({ quoted: [call = ''] }) => {
  const [, receiver = '', called = '', types = ''] = /^(?:(.+)\.)?(\w+)\((.*)\)$/.exec(call) ?? [];
  const name = called === 're2' ? 'matches' : called;
  const args = types === '' ? 'no arguments' : `arguments of type ${types}`;
  return `${name} cannot be called${receiver === '' ? '' : ` on ${receiver}`} with ${args}`;
};

const SENTENCES: Record<string, Sentence | undefined> = {
  unknown_variable: () => 'a name is not a value',
  no_such_overload: ({ summary }) => {
    const [, left, operator = '', right = ''] = /: (?:(.+?) )?(in(?= )|\W{1,2}(?= )|[!-]) ?(.+)$/.exec(summary) ?? [];
    return `${operator} does not work on ${left === undefined ? '' : `${plainType(left)} and `}${plainType(right)}`;
  },
  no_matching_overload: noOverload,
  invalid_macro_argument: ({ summary }) => {
    const name = /^\w+/.exec(summary)?.[0] ?? '';
    return name === 'has'
      ? 'has needs one value, as has(inputs.x)'
      : `${name} needs a variable first: ${name}(item, …)`;
  },
  invalid_condition_type: ({ quoted }) => `a condition must be a bool, not ${quoted.at(-1)}`,
  invalid_logical_operand: ({ quoted: [type] }) => `&& and || need a bool on both sides, not ${type}`,
  incompatible_ternary_branches: ({ quoted }) => `the two results of ?: have different types: ${quoted.join(' and ')}`,
  incompatible_argument_type: ({ quoted }) => `the value and its default have different types: ${quoted.join(' and ')}`,
  invalid_index_type: ({ quoted: [first, second] }) =>
    second === undefined
      ? `the position in a list must be an int, not ${first}`
      : `a value of type ${first} has no items at a position of type ${second}`,
  cannot_index_type: ({ quoted: [type] }) => `a value of type ${type} has no fields or items`,
  invalid_comprehension_range: ({ quoted: [type] }) => `only lists and maps have items, not ${type}`,
  optional_expected: ({ summary }) =>
    `${/^optional\.(\w+)/.exec(summary)?.[1] ?? 'it'} needs an optional value, as inputs.?x`,
  optional_value_missing: () => 'the optional value is absent',
  invalid_optional_argument: () => 'or needs an optional value, as inputs.?x',
  numeric_overflow: tooLarge,
  division_by_zero: () => 'the divisor is 0',
  modulo_by_zero: () => 'the divisor is 0',
  no_such_key: ({ summary }) => `the value has no key ${summary.split(': ')[1]}`,
  index_out_of_bounds: ({ summary }) => {
    const [, index, size] = /index (-?\d+)(?: >= size (\d+))?/.exec(summary) ?? [];
    return size === undefined
      ? `the list has no item ${index}: the first is 0`
      : `the list has no item ${index}: it has ${size} ${size === '1' ? 'item' : 'items'}, from 0`;
  },
  index_out_of_range: () => 'a position lies outside the text',
  bool_conversion_error: notConvertible,
  int_conversion_error: notConvertible,
  uint_conversion_error: notConvertible,
  double_conversion_error: notConvertible,
  invalid_list_element_type: () => 'join needs a list of strings',
  invalid_comparison_type: () => 'values of these types cannot be compared',
  field_type_mismatch: wrongType,
  list_item_type_mismatch: wrongType,
  variable_type_mismatch: wrongType,
  unsupported_type: () => 'expressions do not support the type of a value',
};
