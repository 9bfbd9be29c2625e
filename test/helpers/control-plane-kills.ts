/**
 * The pipeline of control planes in memory, on a host that stops at one of its calls, or in the middle of one, and
 * never answers again. etcd has exactly one new member after a resume, and those of before after an undo.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryControlPlane } from './memory-control-plane.ts';
import type { Mode, Points, Trees } from './memory-join.ts';

const LIMIT_MS = 1_800_000;

/** Each point has another state before it. `every` is 1 for all of them. */
export function itSurvivesKills(every: number): void {
  let untouched: MemoryControlPlane;
  let joined: MemoryControlPlane;
  let trees: Trees;
  let ofRun: Points;
  let ofUndo: Points;

  beforeAll(async () => {
    ({ untouched, joined, trees } = await MemoryControlPlane.fresh());
    expect(await joined.problemsOfRun(trees)).toEqual([]);
    ofRun = await untouched.copy().points('run');
    const undone = joined.copy();
    ofUndo = await undone.points('undo');
    expect(await undone.problemsOfUndo(trees, true)).toEqual([]);
  }, 180_000);

  /** Stops `mode` on copies of `scene`, and collects the problems of each state. */
  async function wherever(
    scene: MemoryControlPlane,
    mode: Mode,
    { telling }: Points,
    problemsOf: (left: MemoryControlPlane) => Promise<string[]>,
  ): Promise<string[]> {
    const problems: string[] = [];
    for (const point of telling.filter((_, index) => index % every === 0)) {
      const left = scene.copy();
      const { status, where } = await left.act(mode, point);
      expect(status).toBe('stopped');
      for (const text of await problemsOf(left)) problems.push(`${mode} stopped at ${point}, ${where}: ${text}`);
    }
    return problems;
  }

  /** Certificates that the run had written stay the same. */
  async function problemsAfterResume(left: MemoryControlPlane): Promise<string[]> {
    const before = left.certificates();
    const problems = await left.problemsAfterResume(trees);
    const after = left.certificates();
    for (const [path, line] of before) if (after.get(path) !== line) problems.push(`${path} is another one`);
    return problems;
  }

  describe('a control plane whose host stops permanently at any point', () => {
    test('a run and an undo have a thousand points and hundreds of states', () => {
      expect([ofRun.count, ofUndo.count].every((count) => count > 1_000)).toBe(true);
      expect([ofRun.telling.length, ofUndo.telling.length].every((count) => count > 200)).toBe(true);
    });

    test(
      'a run that stopped is completed with one new voter and the same certificates, or fully undone',
      async () => {
        const problems = await wherever(untouched, 'run', ofRun, async (left) => {
          const twin = left.copy();
          const [resumed, undone] = [await problemsAfterResume(left), await twin.problemsAfterUndo(trees)];
          return [...resumed.map((text) => `resumed: ${text}`), ...undone.map((text) => `undone: ${text}`)];
        });
        expect(problems).toEqual([]);
      },
      LIMIT_MS,
    );

    test(
      'an undo that stopped is completed by another undo: the members and files of before',
      async () => {
        expect(await wherever(joined, 'undo', ofUndo, (left) => left.problemsAfterUndo(trees))).toEqual([]);
      },
      LIMIT_MS,
    );
  });
}
