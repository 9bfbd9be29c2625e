/**
 * The default pipeline in memory, on a host that stops at one of its calls, or in the middle of one, and never answers
 * again. `npm run test:crash` does the same with real processes and SIGKILL.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryJoin, type Mode, type Trees } from '../../helpers/memory-join.ts';
import { type Stops, stopsOf } from '../../helpers/memory-stops.ts';

let untouched: MemoryJoin;
let joined: MemoryJoin;
let trees: Trees;
let ofRun: Stops;
let ofUndo: Stops;

beforeAll(async () => {
  ({ untouched, joined, trees } = await MemoryJoin.joined());
  expect(await joined.problemsOfRun(trees)).toEqual([]);
  ofRun = await stopsOf(untouched.copy(), 'run');
  const undone = joined.copy();
  ofUndo = await stopsOf(undone, 'undo');
  expect(await undone.problemsOfUndo(trees, true)).toEqual([]);
});

type ProblemsOf = (left: MemoryJoin, restCount: number, index: number) => Promise<string[]>;

/** The problems of each state that a stopped run or undo leaves. */
async function wherever(mode: Mode, { count, stops }: Stops, problemsOf: ProblemsOf) {
  const problems: string[] = [];
  for (const [index, { point, where, left }] of stops.entries())
    for (const text of await problemsOf(left.copy(), count - point, index))
      problems.push(`${mode} stopped at ${point}, ${where}: ${text}`);
  return problems;
}

/** Stops the resumed run or the next undo too, at a different point for each state. */
const again =
  (mode: Mode): ProblemsOf =>
  async (left, restCount, index) => {
    const { status, where } = await left.act(mode, 1 + ((index * 37) % (restCount + 10)));
    const isResumed = mode === 'resume' && index % 2 === 0;
    const problems = await (isResumed ? left.problemsAfterResume(trees) : left.problemsAfterUndo(trees));
    return problems.map((text) => `${mode} ${status}, ${where}, then ${isResumed ? 'resumed' : 'undone'}: ${text}`);
  };

describe('a host that stops permanently at any point', () => {
  test('a run and an undo have hundreds of points and many states', () => {
    expect([ofRun.count, ofUndo.count].every((count) => count > 200)).toBe(true);
    expect(ofRun.stops.length).toBeGreaterThan(90);
    expect(ofUndo.stops.length).toBeGreaterThan(60);
  });

  test('a run that stopped at any point is completed with one identity and one CSR, or fully undone', async () => {
    const problems = await wherever('run', ofRun, async (left) => {
      const twin = left.copy();
      const [resumed, undone] = [await left.problemsAfterResume(trees), await twin.problemsAfterUndo(trees)];
      return [...resumed.map((text) => `resumed: ${text}`), ...undone.map((text) => `undone: ${text}`)];
    });
    expect(problems).toEqual([]);
  }, 300_000);

  test('an undo that stopped at any point is completed by another undo', async () => {
    expect(await wherever('undo', ofUndo, (left) => left.problemsAfterUndo(trees))).toEqual([]);
  }, 300_000);

  test('a resume or undo that stopped as well is completed by the next one', async () => {
    expect(await wherever('run', ofRun, again('resume'))).toEqual([]);
    expect(await wherever('undo', ofUndo, again('undo'))).toEqual([]);
  }, 300_000);
});
