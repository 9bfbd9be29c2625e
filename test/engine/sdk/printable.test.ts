import { describe, expect, test } from 'vitest';
import { jsonText } from '../../../bin/render/json.ts';
import { clean, printable } from '../../../engine/sdk/index.ts';

const ESC = '\u001b';

describe('text from outside', () => {
  const evil = `a${ESC}[31m\u009bb\u202ec\u2066d\u200be\u2028f\r\n\u0000g\ud800h\u{e0041}i`;

  test('text from outside is reduced to one line without terminal control characters, and keeps its letters', () => {
    expect(clean(evil)).toBe('a [31m b c d e f g h i');
    expect(clean(' Zażółć 😀 日本 ')).toBe('Zażółć 😀 日本');
    expect(clean('x'.repeat(600))).toHaveLength(500);
  });

  test('text from outside is printed line by line', () => {
    expect(printable(`one${ESC}[2J\n\ttwo\u202e\n`)).toBe('one [2J\n two \n');
  });

  test('text from outside is escaped in JSON, and parsing restores it', () => {
    const document = { evil, path: 'a\tb' };
    const text = jsonText(document);
    expect(text.replaceAll('\n', '')).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u);
    expect(JSON.parse(text)).toEqual(document);
  });
});
