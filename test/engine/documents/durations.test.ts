import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs } from '../../../engine/documents/durations.ts';

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['1m500ms', 60_500],
    ['0s', 0],
  ])('the duration %s is %i ms', (text, expected) => {
    expect(durationMs(text)).toBe(expected);
  });

  test('a duration is the sum of its parts', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(999), (h, m, s, ms) => {
        expect(durationMs(`${h}h${m}m${s}s${ms}ms`)).toBe(((h * 60 + m) * 60 + s) * 1_000 + ms);
      }),
    );
  });
});
