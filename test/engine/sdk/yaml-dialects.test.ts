import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { goYaml, parseYaml } from '../../../engine/sdk/index.ts';

/** Texts that YAML 1.1 or YAML 1.2 would read as something else without quotes. */
const AMBIGUOUS = [
  ...['on', 'off', 'yes', 'No', 'y', 'N', 'true', 'FALSE', 'null', '~', '', '<<', '=', '-', '?', '#', '---', '...'],
  ...['0777', '0o17', '0x1F', '0b101', '1_000', '1:30', '12:30:45', '1:30.5', '+1', '-0', '.5', '1.', '1e3', '12e03'],
  ...['.inf', '-.INF', '.nan', '2001-01-01', '2001-12-14t21:59:43.10-05:00', '9223372036854775807', ' a', 'a ', 'a: b'],
  ...['a #b', '*a', '&a', '!a', '%a', '@a', '`a', '"', "'", 'a\nb', '\ta', '\u0085', '\u2028'],
];
const text = fc.oneof(fc.constantFrom(...AMBIGUOUS), fc.string({ maxLength: 8 }));
const fraction = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((number) => !Number.isInteger(number) || Number.isSafeInteger(number));
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.oneof(fc.boolean(), fc.constant(null), fc.maxSafeInteger(), fraction),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(text, tie('any'), { maxKeys: 3 }),
  ),
})).any;

describe('YAML for Go', () => {
  test('every document that Joinery writes means the same to YAML 1.1, to YAML 1.2 and to Go', () => {
    fc.assert(
      fc.property(fc.dictionary(text, value, { maxKeys: 4 }), (document) => {
        const expected = JSON.parse(JSON.stringify(document)); // JSON has no -0
        const written = goYaml(document);
        const plain = (read: unknown) => JSON.parse(JSON.stringify(read));
        expect(plain(parse(written, { version: '1.1', stringKeys: true }))).toEqual(expected);
        expect(plain(parse(written, { version: '1.2', stringKeys: true }))).toEqual(expected);
        expect(plain(parseYaml(written))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['9223372036854775807', '-9223372036854775808', '9007199254740993', '18446744073709551615'])(
    'the integer %s passes through a document digit by digit, also through JSON',
    (integer) => {
      const read = JSON.parse(JSON.stringify(parseYaml(`maxOpenFiles: ${integer}\n`)));
      expect(goYaml(read)).toBe(`maxOpenFiles: ${integer}\n`);
    },
  );

  test.each([
    ['a mapping with the key of a large integer and another one', { $integer: '9223372036854775807', x: 1 }],
    ['a mapping with the key of a large integer and no integer', { $integer: '1: injected' }],
    ['a mapping with the key of a large integer and a short one', { $integer: '5' }],
  ])('%s stays a mapping', (_, document) => {
    expect(parse(goYaml({ document }))).toEqual({ document });
  });

  test.each([
    ['a: yes', { a: true }],
    ['a: Off', { a: false }],
    ['a: 0777', { a: 511 }],
    ['a: 1_000', { a: 1000 }],
    ['a: 1:30', { a: '1:30' }],
    ['a: 2001-01-01', { a: '2001-01-01' }],
    ['a: "on"', { a: 'on' }],
    ['a: &x { b: 1 }\nc: { <<: *x, d: 2 }', { a: { b: 1 }, c: { b: 1, d: 2 } }],
    ['%YAML 1.2\n---\na: yes', { a: true }],
    ['a: 1\n---\n', { a: 1 }],
    ['---\n---\na: 1\n...\n---\n# nothing\n', { a: 1 }],
  ])('%j is read as Go reads it', (yaml, expected) => {
    expect(parseYaml(yaml)).toEqual(expected);
  });

  test('a second document is refused in words of Joinery', () => {
    expect(() => parseYaml('a: 1\n---\nb: 2\n')).toThrow(
      'a second YAML document begins here, and only one can be used: remove the others',
    );
  });
});
