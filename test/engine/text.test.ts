import { describe, expect, test } from 'vitest';
import { jsonText } from '../../bin/render/json.ts';
import { clean, parseYaml, printable } from '../../engine/sdk/index.ts';
import { excessOf } from '../../engine/sdk/text.ts';

const ESC = '\u001b';

describe('a document from outside', () => {
  test('is read as YAML, in which JSON is contained', () => {
    expect(parseYaml('a: [1, {b: "c"}]')).toEqual({ a: [1, { b: 'c' }] });
    expect(parseYaml('{"a": {"b": null}}')).toEqual({ a: { b: null } });
  });

  test.each([
    ['large', `a: ${'x'.repeat(128 << 10)}`, 'larger than 131072 bytes'],
    ['nested with brackets', '['.repeat(66), 'nested deeper than 64 levels'],
    ['nested with dashes', '- '.repeat(66), 'nested deeper than 64 levels'],
    ['nested, with brackets in texts that would close them', '[ "]" '.repeat(65), 'nested deeper than 64 levels'],
    ['nested in keys', '? '.repeat(66), 'nested deeper than 64 levels'],
    ['wide', Array.from({ length: 5001 }, (_, i) => `k${i}: 1`).join('\n'), 'more than 5000 keys side by side'],
    ['wide in braces', `{${Array.from({ length: 5001 }, (_, i) => `k${i}: 1`)}}`, 'more than 5000 keys side by side'],
  ])('is not parsed where it is too %s', (_, text, words) => {
    expect(() => parseYaml(text)).toThrow(words);
  });

  test('may be as large as that', () => {
    expect(parseYaml(`a: ${'x'.repeat((128 << 10) - 3)}`)).toBeTruthy();
    expect(parseYaml(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeTruthy();
    expect(excessOf('- x\n'.repeat(20_000), 1 << 20)).toBeUndefined();
  });

  test.each([
    ['the same key twice', 'a: 1\na: 2'],
    ['several documents', 'a: 1\n---\na: 2'],
    [
      'too many aliases',
      `a: &a [${'x,'.repeat(50)}]\nb: [${'*a,'.repeat(50)}]\nc: &c [${'*a,'.repeat(50)}]\nd: [*c, *c]`,
    ],
    ['an alias to nothing', `a: *no${ESC}[31m\u202e`],
    ['no YAML at all', `{{${ESC}[2J`],
  ])('is refused with one line where it has %s', (_, text) => {
    expect(() => parseYaml(text)).toThrow(/^[^\p{C}]{5,}$/u);
  });

  test('cannot change what objects are', () => {
    const read = parseYaml('__proto__: { polluted: 1 }\nconstructor: { prototype: { polluted: 1 } }') as object;
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });
});

describe('text from outside', () => {
  const evil = `a${ESC}[31m\u009bb\u202ec\u2066d\u200be\u2028f\r\n\u0000g\ud800h\u{e0041}i`;

  test('is cleaned to one line without anything that a terminal obeys, and letters stay', () => {
    expect(clean(evil)).toBe('a [31m b c d e f g h i');
    expect(clean(' Zażółć 😀 日本 ')).toBe('Zażółć 😀 日本');
    expect(clean('x'.repeat(600))).toHaveLength(500);
  });

  test('is printed line by line', () => {
    expect(printable(`one${ESC}[2J\n\ttwo\u202e\n`)).toBe('one [2J\n two \n');
  });

  test('in JSON is escaped, and the same to who parses it', () => {
    const document = { evil, path: 'a\tb' };
    const text = jsonText(document);
    expect(text.replaceAll('\n', '')).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u);
    expect(JSON.parse(text)).toEqual(document);
  });
});
