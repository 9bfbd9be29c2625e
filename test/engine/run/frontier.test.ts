import { describe, expect, test } from 'vitest';
import { Frontier } from '../../../engine/run/frontier.ts';

const taken = (frontier: Frontier): string[] => {
  const ids: string[] = [];
  for (let id = frontier.take(); id !== undefined; id = frontier.take()) ids.push(id);
  return ids;
};
/** a → b, a → c, b and c → d; e alone. */
const diamond = () =>
  new Frontier([
    { id: 'd', needs: ['b', 'c'] },
    { id: 'a', needs: [] },
    { id: 'b', needs: ['a'] },
    { id: 'c', needs: ['a'] },
    { id: 'e', needs: [] },
  ]);

describe('the frontier', () => {
  test('the frontier returns the steps without needs first, in pipeline order, each once', () => {
    const frontier = diamond();
    expect(taken(frontier)).toEqual(['a', 'e']);
    expect(taken(frontier)).toEqual([]);
    expect([...frontier.active]).toEqual(['a', 'e']);
  });

  test('the frontier returns a step once all its needs have succeeded', () => {
    const frontier = diamond();
    taken(frontier);
    frontier.settle('a', 'succeeded');
    expect(taken(frontier)).toEqual(['b', 'c']);
    frontier.settle('c', 'succeeded');
    expect(taken(frontier)).toEqual([]);
    frontier.settle('b', 'succeeded');
    expect(taken(frontier)).toEqual(['d']);
  });

  test.each([
    ['succeeded', ['b', 'c']],
    ['undecided', ['b', 'c']],
    ['failed', []],
    ['cancelled', []],
    ['skipped', ['b', 'c']],
  ] as const)('after a step that %s, what needs it is: %j', (status, ready) => {
    const frontier = diamond();
    taken(frontier);
    frontier.settle('a', status);
    expect(taken(frontier)).toEqual(ready);
    expect(frontier.status('a')).toBe(status);
  });

  test('the frontier is settled when every step is ended or skipped, and skips no ended or active step', () => {
    const frontier = diamond();
    taken(frontier);
    frontier.settle('a', 'failed');
    expect(frontier.allSettled).toBe(false);
    frontier.skipRest();
    expect(['a', 'b', 'c', 'd', 'e'].map((id) => frontier.status(id))).toEqual([
      'failed',
      'skipped',
      'skipped',
      'skipped',
      undefined,
    ]);
    expect(frontier.allSettled).toBe(false);
    frontier.settle('e', 'cancelled');
    expect(frontier.allSettled).toBe(true);
    expect([...frontier.active]).toEqual([]);
  });

  test('the frontier undoes the ended steps, the last one first, each once', () => {
    const frontier = diamond();
    taken(frontier);
    frontier.settle('e', 'succeeded');
    frontier.settle('a', 'failed');
    expect(frontier.nextToUndo()).toBe('a');
    expect([[...frontier.active], frontier.status('a'), frontier.allSettled]).toEqual([['a'], undefined, false]);
    frontier.settle('a', 'undone');
    expect(frontier.nextToUndo()).toBe('e');
    frontier.settle('e', 'undo-failed');
    expect(frontier.nextToUndo()).toBeUndefined();
    expect([frontier.status('a'), frontier.status('e'), frontier.take()]).toEqual(['undone', 'undo-failed', undefined]);
  });

  test('the frontier refuses to end a step that has not started, has ended, or is unknown', () => {
    const frontier = diamond();
    taken(frontier);
    frontier.settle('a', 'succeeded');
    for (const id of ['a', 'b', 'unknown'])
      expect(() => frontier.settle(id, 'succeeded')).toThrow(new Error(`step ${id} is not active`));
  });

  test('a frontier without steps is settled from the start', () => {
    const frontier = new Frontier([]);
    expect(frontier.take()).toBeUndefined();
    expect(frontier.allSettled).toBe(true);
  });
});
