import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cel } from '../../../engine/expressions/cel.ts';
import { expressionProblem } from '../../../engine/expressions/cel-errors.ts';
import { type Lookup, referenceText } from '../../../engine/expressions/references.ts';
import type { Schema } from '../../../engine/sdk/index.ts';
import { thrownBy } from '../../helpers/errors.ts';

const LIBRARY = join(import.meta.dirname, '../../../node_modules/@marcbachmann/cel-js/lib');
const VALUES: Record<string, { value: unknown; schema?: Schema }> = {
  'inputs.text': { value: 'worker', schema: { type: 'string' } },
  'inputs.count': { value: 3, schema: { type: 'integer' } },
  'inputs.big': { value: 9_007_199_254_740_991, schema: { type: 'integer' } },
  'inputs.tags': { value: ['a', 'bb', 'ccc'], schema: { type: 'array', items: { type: 'string' } } },
  'inputs.labels': { value: { zone: 'z1' }, schema: { type: 'object' } },
  'inputs.any': { value: 3 },
};
const lookup: Lookup = (reference) => VALUES[referenceText(reference)]?.value;

/** Parses, checks and evaluates, as a run does. */
function evaluated(text: string): unknown {
  const cel = new Cel(text);
  cel.check(cel.sites.map(({ reference }) => VALUES[referenceText(reference)]?.schema));
  return cel.evaluate(lookup);
}

/** The codes are those of the library: the test below it compares them with its sources. */
const CASES: [code: string, expression: string, sentence: string][] = [
  ['unexpected_character', 'inputs.count @ 2', 'syntax error at 1:14: "@" is not expected here'],
  ['unexpected_character', '1 +\n 2 3', 'syntax error at 2:4: "3" is not expected here'],
  ['unexpected_token', '1 + )', 'syntax error at 1:5: ")" is not expected here'],
  ['unexpected_token', '', 'syntax error at 1:1: the expression ends too early'],
  ['expected_token', '(1', 'syntax error at 1:3: ")" is missing before the end'],
  ['expected_token', '1 ? 2 3', 'syntax error at 1:7: ":" is missing before "3"'],
  ['expected_token', 'inputs.1', 'syntax error at 1:8: a name is missing before "1"'],
  ['invalid_number', '1e400', 'syntax error at 1:1: "1e400" is not a number'],
  ['invalid_exponent', '1.5e+ 2', 'syntax error at 1:6: the exponent has no digits'],
  [
    'newline_in_string',
    '"a\nb"',
    'syntax error at 1:3: a text in quotes cannot contain a line break: write \\n, or use three quotes',
  ],
  ['unterminated_string', '1 + "abc', 'syntax error at 1:5: the quotes are not closed'],
  ['unterminated_triple_quoted_string', "'''abc", 'syntax error at 1:1: the quotes are not closed'],
  ['invalid_escape_sequence', '"a\\q"', 'syntax error at 1:3: "\\q" is not an escape sequence'],
  ['reserved_identifier', '1 + for', 'syntax error at 1:5: "for" is a reserved word'],
  ['limit_exceeded', '('.repeat(200), 'syntax error at 1:41: the expression is nested too deeply (at most 40)'],
  ['invalid_macro_argument', 'has(1)', 'has needs one value, as has(inputs.x), in "1"'],
  [
    'invalid_macro_argument',
    'inputs.tags.exists("x", true)',
    'exists needs a variable first: exists(item, …), in ""x""',
  ],
  ['unknown_variable', 'inputs.tags.map(x)', 'a name is not a value, in "x"'],
  ['no_such_overload', 'inputs.text + 1', '+ does not work on string and int'],
  [
    'no_such_overload',
    '1 == 1 && inputs.labels in inputs.tags',
    'in does not work on map<string, dyn> and list<string>, in "inputs.labels in inputs.tags"',
  ],
  ['no_such_overload', '-inputs.text', '- does not work on string'],
  ['no_such_overload', 'inputs.any + inputs.text', '+ does not work on int and string'],
  [
    'no_matching_overload',
    'inputs.text.startsWith(1)',
    'startsWith cannot be called on string with arguments of type int',
  ],
  ['no_matching_overload', 'inputs.text.matches(1)', 'matches cannot be called on string with arguments of type int'],
  ['no_matching_overload', 'size()', 'size cannot be called with no arguments'],
  ['invalid_condition_type', 'inputs.text ? 1 : 2', 'a condition must be a bool, not string, in "inputs.text"'],
  ['invalid_logical_operand', 'inputs.count && true', '&& and || need a bool on both sides, not int'],
  [
    'incompatible_ternary_branches',
    'inputs.any == 3 ? 1 : "x"',
    'the two results of ?: have different types: int and string',
  ],
  [
    'incompatible_argument_type',
    'inputs.?count.orValue(true)',
    'the value and its default have different types: int and bool, in "true"',
  ],
  ['invalid_index_type', 'inputs.tags["a"]', 'the position in a list must be an int, not string'],
  ['cannot_index_type', 'inputs.text.foo', 'a value of type string has no fields or items'],
  [
    'invalid_comprehension_range',
    'inputs.count.map(x, x)',
    'only lists and maps have items, not int, in "inputs.count"',
  ],
  ['optional_expected', 'inputs.text.orValue(1)', 'orValue needs an optional value, as inputs.?x, in "inputs.text"'],
  [
    'numeric_overflow',
    'inputs.big * inputs.big > 1',
    'the result does not fit into an integer of 64 bits, in "inputs.big * inputs.big"',
  ],
  ['division_by_zero', '1 + inputs.count / 0', 'the divisor is 0, in "inputs.count / 0"'],
  ['modulo_by_zero', 'inputs.count % 0', 'the divisor is 0'],
  ['no_such_key', 'inputs.labels.row', 'the value has no key row'],
  ['index_out_of_bounds', 'inputs.tags[9]', 'the list has no item 9: it has 3 items, from 0'],
  ['index_out_of_bounds', 'inputs.tags[-1]', 'the list has no item -1: the first is 0'],
  ['index_out_of_range', 'inputs.text.substring(99)', 'a position lies outside the text'],
  ['bool_conversion_error', 'bool("x")', 'the value cannot be converted to bool'],
  ['int_conversion_error', 'int("x") + 1', 'the value cannot be converted to int, in "int("x")"'],
  ['double_conversion_error', 'double("x")', 'the value cannot be converted to double'],
  ['invalid_list_element_type', '["a", 1].join("-")', 'join needs a list of strings'],
];
/** No expression causes these: the function or the option is not available, or the types exclude the case. */
const OUT_OF_REACH = [
  ...['invalid_regular_expression', 'invalid_timestamp', 'invalid_duration', 'uint_conversion_error'],
  ...['optional_value_missing', 'invalid_optional_argument', 'invalid_context', 'expression_must_be_string'],
  ...['unsupported_type', 'invalid_comparison_type', 'field_type_mismatch', 'list_item_type_mismatch'],
  'variable_type_mismatch',
];

test.each(CASES)('an expression with the error %s has our own sentence: %s', async (_, expression, sentence) => {
  expect(((await thrownBy(() => evaluated(expression))) as Error).message).toBe(sentence);
});

test('every error of the CEL library has a case, or is out of reach', () => {
  const sources = readdirSync(LIBRARY).filter((name) => name.endsWith('.js'));
  const codes = sources.flatMap((name) =>
    [...readFileSync(join(LIBRARY, name), 'utf8').matchAll(/(?:Error|createError)\(\s*'([a-z]+(?:_[a-z]+)+)'/g)].map(
      ([, code]) => code,
    ),
  );
  const handled = [...CASES.map(([code]) => code), ...OUT_OF_REACH, 'invalid_escape_sequence'];
  expect([...new Set(codes)].filter((code) => !handled.includes(code ?? ''))).toEqual([]);
  expect(codes.length).toBeGreaterThan(40);
});

test.each([...new Set([...CASES.map(([code]) => code), ...OUT_OF_REACH]), 'a_new_code', undefined])(
  'the sentence of the library never reaches the user: %s',
  (code) => {
    const summary = 'The Library Says So';
    const error = Object.assign(new Error(summary), { code, summary, node: { start: 0, end: 3 } });
    const sentence = expressionProblem(error, 'abc + 1');
    expect(sentence).not.toContain('Library');
    expect(sentence.length).toBeGreaterThan(10);
  },
);

test('an error without a code names the expression', () => {
  expect(expressionProblem(new RangeError('Invalid string length'), 'inputs.a + inputs.b')).toBe(
    '"inputs.a + inputs.b" cannot be evaluated',
  );
});
