import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedFailures } from '../../../engine/fleet/budget.ts';
import type { WaveSize } from '../../../engine/fleet/fleet.ts';
import { wavesOf } from '../../../engine/fleet/waves.ts';

const size: fc.Arbitrary<WaveSize> = fc.oneof(
  fc.record({ hosts: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
);
const fleet = fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 200 });

describe('waves', () => {
  test('each host is in exactly one wave, in the order of the document, if the last wave is the rest', () => {
    fc.assert(
      fc.property(fleet, fc.array(size, { maxLength: 6 }), (hosts, sizes) => {
        expect(wavesOf(hosts, [...sizes, 'rest']).flat()).toEqual(hosts);
      }),
    );
  });

  test('no wave is empty, and no host is in two waves, whatever the sizes', () => {
    fc.assert(
      fc.property(fleet, fc.array(size, { maxLength: 6 }), (hosts, sizes) => {
        const waves = wavesOf(hosts, sizes);
        expect(waves.every(({ length }) => length > 0)).toBe(true);
        expect(waves.flat()).toEqual(hosts.slice(0, waves.flat().length));
      }),
    );
  });

  test('a percentage is one of all hosts, and is rounded up', () => {
    const hosts = Array.from({ length: 11 }, (_, index) => index);
    expect(wavesOf(hosts, [{ percent: 10 }, { percent: 10 }, 'rest']).map(({ length }) => length)).toEqual([2, 2, 7]);
    expect(wavesOf([1], [{ percent: 1 }])).toEqual([[1]]);
  });

  test('a wave that is larger than what is left has what is left', () => {
    expect(wavesOf([1, 2, 3], [{ hosts: 2 }, { hosts: 5 }, 'rest'])).toEqual([[1, 2], [3]]);
  });
});

describe('the failure budget', () => {
  test('a percentage is rounded down, so that a small fleet accepts no failure', () => {
    expect(allowedFailures({ percent: 5 }, 19)).toBe(0);
    expect(allowedFailures({ percent: 5 }, 20)).toBe(1);
    expect(allowedFailures({ hosts: 3 }, 1)).toBe(3);
  });
});
