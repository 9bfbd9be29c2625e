import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lexer } from 'yaml';
import { readKubeconfig } from '../../../engine/node/index.ts';
import { parseYaml } from '../../../engine/sdk/index.ts';
import { nearest, valueText } from '../../../engine/sdk/text.ts';
import { thrownBy } from '../../helpers/errors.ts';
import { processorMs } from '../../helpers/processor-time.ts';

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

describe('YAML from outside', () => {
  test('YAML has at most four tokens for each letter, so a short text cannot have too many', () => {
    const piece = fc.constantFrom(
      ...'{}[],:-?&*!|>#\'"% \t\n\r',
      'a',
      ': ',
      '- ',
      '\n  ',
      '---',
      '...',
      '\ufeff',
      '{a',
      '"b"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        expect([...new Lexer().lex(text)].length).toBeLessThanOrEqual(4 * text.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[string, string, string]>([
    ['double keys', 'a: 1\nb: { c: 1, c: 2 }\n', 'the key c is duplicated'],
    ['more than 1 MiB', 'x'.repeat((1 << 20) + 1), 'larger than 1048576 bytes'],
    ['more tokens than any configuration has', '- a\n'.repeat(10_000), 'more than 30000 tokens'],
    ['a bracket too many for each token', '}'.repeat(1 << 20), 'more than 30000 tokens'],
    ['more than 100 levels', '['.repeat(101) + ']'.repeat(101), 'nested deeper than 100 levels'],
    ['thousands of levels', '- '.repeat(2_000), 'nested deeper than 100 levels'],
    ['more levels than the stack has', '- '.repeat(14_000), 'nested deeper than 100 levels'],
    ['a mistake below these', `${'- '.repeat(3_800)}\\u  !<a\r\n`, 'nested deeper than 100 levels'],
    ['more than 100 aliases', `- &a b\n${'- *a\n'.repeat(101)}`, 'more than 100 aliases'],
    ['an alias before its anchor', '- *a\n- &a b\n', 'anchor a is not defined before this line'],
    [
      'aliases of aliases',
      'x: &a [1,1,1,1]\ny: &b [*a,*a,*a,*a]\nz: &c [*b,*b,*b,*b]\nw: [*c,*c,*c,*c]\n',
      'more than 100 aliases, or more with the aliases in them',
    ],
    ['control characters in what is wrong', '- *a\u009b', 'anchor a  is not defined before this line'],
  ])('YAML is refused if it has %s, with an error of one line', async (_, text, message) => {
    const error = await thrownBy(() => parseYaml(text));
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect((error as Error).message).toMatch(/^\P{Cc}+$/u);
    expect((error as Error).message).toContain(message);
  });

  test('dense YAML is read in seconds up to its limit', () => {
    const begun = processorMs();
    expect(Object.keys(parseYaml(lines(4_200, (index) => `a${index}: 1\n`)) as object)).toHaveLength(4_200);
    expect(() => parseYaml('}'.repeat(29_000))).toThrow();
    expect(parseYaml(`- &a b\n${'- *a\n'.repeat(99)}`)).toHaveLength(100);
    expect(parseYaml('['.repeat(100) + ']'.repeat(100))).toHaveLength(1);
    expect(processorMs() - begun).toBeLessThan(5_000);
  });

  test('YAML keys such as __proto__ are ordinary keys', () => {
    const value = parseYaml('__proto__: { polluted: 1 }\nconstructor: 2\n') as object;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test('parsing YAML does not disable the stacks of later errors', () => {
    expect(() => parseYaml('a: b: c')).toThrow();
    expect(new Error('later').stack).toContain('text.test.ts');
  });
});

test('a kubeconfig with names that are not strings has empty names', () => {
  const text =
    'clusters: [{ name: { toString: 1 }, cluster: { server: "https://a" } }]\nusers: [{ name: 7, user: {} }]\n';
  expect(readKubeconfig(text)).toMatchObject({ clusters: [{ name: '' }], users: [{ name: '' }] });
});

test.each([
  ['a', 'a'],
  ['a\u001b[31m\nb', 'a [31m b'],
  [{ toString: 1 }, '{"toString":1}'],
  [[1, null], '[1,null]'],
  [undefined, 'undefined'],
])('the value %j is printed as %s', (value, expected) => {
  expect(valueText(value)).toBe(expected);
});

test('among thousands of names, none is the nearest', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `step-${index}`);
  expect(nearest('step-1x', names)).toBeUndefined();
  expect(nearest('step-1x', names.slice(0, 500))).toBeDefined();
});
