import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from '../../../engine/sdk/index.ts';

describe('the nearest name', () => {
  test.each([
    ['kubconfig', 'kubeconfig'],
    ['tls-bootstrp', 'tls-bootstrap'],
    ['kubeconfig', 'kubeconfig'],
    ['preflght', 'preflight'],
    ['join', undefined],
    ['', undefined],
  ])('the nearest name to %s is %s', (word, expected) => {
    expect(nearest(word, ['preflight', 'kubeconfig', 'tls-bootstrap'])).toBe(expected);
  });

  test('two letters in the wrong order are one mistake', () => {
    expect(nearest('rnu', ['run', 'reset'])).toBe('run');
    expect(nearest('plna', ['plan', 'phase'])).toBe('plan');
  });

  test('the first of equally near names wins, and a distant name has no nearest name', () => {
    expect(nearest('cat', ['bat', 'rat'])).toBe('bat');
    expect(nearest('cat', [])).toBeUndefined();
  });

  test('a word with one wrong, missing or additional letter is found', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(), fc.stringMatching(/^[a-z]$/), (word, place, letter) => {
        const at = place % word.length;
        const typos = [
          word.slice(0, at) + word.slice(at + 1),
          word.slice(0, at) + letter + word.slice(at),
          word.slice(0, at) + letter + word.slice(at + 1),
        ];
        for (const typo of typos) expect(nearest(typo, ['0000000000000000', word])).toBe(word);
      }),
    );
  });
});
