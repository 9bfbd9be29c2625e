/** The default pipeline in memory. A power failure at any point of a run or undo loses what was not synced. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Survives } from '../helpers/memory-disk.ts';
import { MemoryJoin, type Mode, type Trees } from '../helpers/memory-join.ts';

const NOTHING: Survives = () => false;
/** The journal of the file system is ahead of its data: files exist, but are empty. */
const NAMES: Survives = (what) => what === 'name';

interface Machine {
  untouched: MemoryJoin;
  trees: Trees;
}
/** A used machine and a new one. */
let used: Machine;
let bare: Machine;
beforeAll(async () => {
  used = await MemoryJoin.joined();
  bare = await MemoryJoin.joined(false);
});

const labelled = (what: string, problems: readonly string[]) => problems.map((text) => `${what}: ${text}`);

/** The points of `mode` that leave different states behind, and one beyond its end. */
async function failing(scene: MemoryJoin, mode: Mode, survives: Survives): Promise<number[]> {
  const rehearsed = scene.copy();
  const { telling } = await rehearsed.points(mode, () => rehearsed.shape(rehearsed.disk.afterPowerLoss(survives)));
  return [...telling, Number.MAX_SAFE_INTEGER];
}

/** The points of `mode` at which something is not synced. */
async function unsynced(scene: MemoryJoin, mode: Mode): Promise<number[]> {
  const rehearsed = scene.copy();
  const all = await rehearsed.points(mode, () => {
    const shape = rehearsed.shape();
    return shape === rehearsed.shape(rehearsed.disk.afterPowerLoss()) ? 'synced' : shape;
  });
  return all.telling;
}

/** One after the other, so that a caller that needs only the first problem does not wait for the rest. */
async function* problemsOfRun({ untouched: scene, trees }: Machine, survives = NOTHING): AsyncGenerator<string> {
  for (const point of await failing(scene, 'run', survives)) {
    const left = scene.copy();
    const { where = 'over' } = await left.act('run', point);
    const booted = await left.afterPowerLoss(survives);
    const twin = booted.copy();
    if (where === 'over') yield* labelled('after the run', await booted.problemsOfRun(trees));
    yield* labelled(`run ${where}, resumed`, await booted.problemsAfterResume(trees));
    yield* labelled(`run ${where}, undone`, await twin.problemsAfterUndo(trees));
  }
}

async function* problemsOfUndo({ untouched: scene, trees }: Machine, survives = NOTHING): AsyncGenerator<string> {
  const joined = scene.copy();
  await joined.act('run');
  for (const point of await failing(joined, 'undo', survives)) {
    const left = joined.copy();
    const { where = 'over' } = await left.act('undo', point);
    const booted = await left.afterPowerLoss(survives);
    if (where === 'over') yield* labelled('after the undo', await booted.problemsOfUndo(trees, true));
    yield* labelled(`undo ${where}, undone`, await booted.problemsAfterUndo(trees));
  }
}

/** A kill loses nothing by itself, but a change that was not synced before it must not be lost later. */
async function* problemsAfterKill({ untouched: scene, trees }: Machine): AsyncGenerator<string> {
  for (const point of await unsynced(scene, 'run')) {
    const left = scene.copy();
    const { where } = await left.act('run', point);
    const twin = left.copy();
    const [resumed, undone] = [await left.problemsAfterResume(trees), await twin.problemsAfterUndo(trees)];
    yield* labelled(`run ${where}`, [...resumed, ...undone]);
    const [joined, clean] = [await left.afterPowerLoss(), await twin.afterPowerLoss()];
    yield* labelled(`run ${where}, resumed, no power`, await joined.problemsAfterResume(trees));
    yield* labelled(`run ${where}, undone, no power`, await clean.problemsAfterUndo(trees));
  }
}

async function all(problems: AsyncGenerator<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const problem of problems) found.push(problem);
  return found;
}

describe('a power loss', () => {
  test.each([
    ['nothing that was not synced', NOTHING],
    ['only names that were not synced', NAMES],
  ])(
    'a run that lost power, and kept %s, can be completed and undone',
    async (_, survives) => {
      expect(await all(problemsOfRun(used, survives))).toEqual([]);
    },
    300_000,
  );

  test('a second undo completes an undo that lost power, and repeats nothing', async () => {
    expect(await all(problemsOfUndo(used))).toEqual([]);
  }, 300_000);

  test('a power loss after a kill loses no change', async () => {
    expect(await all(problemsAfterKill(used))).toEqual([]);
  }, 300_000);
});

/** Every fsync, and the scenario that fails without it. */
const sites: [site: string, problemsOf: (machine: Machine) => AsyncGenerator<string>][] = [
  ['bytes, for append', problemsOfRun],
  ['bytes, for replaceFile', problemsOfRun],
  ['mode, for createDirectory', problemsOfRun],
  ['names, for createDirectory', problemsOfRun],
  ['names, for remove', problemsOfRun],
  ['names, for removeTree', problemsOfUndo],
  ['names, for replaceFile', problemsOfRun],
  ['names, for replaceLink', problemsOfRun],
  ['names, for syncNames of append', problemsAfterKill],
  ['names, for syncNames of makeFolder', problemsOfRun],
];

describe('fsync', () => {
  test('fsync is called at exactly these places', async () => {
    const asked = new Set<string>();
    const scene = used.untouched.copy();
    scene.disk.swallows = (site) => asked.add(site) === undefined;
    await scene.act('run');
    await scene.act('undo');
    expect([...asked].sort()).toEqual(sites.map(([site]) => site));
  });

  test.each(sites)(
    'the fsync of %s is needed: something is lost without it',
    async (site, problemsOf) => {
      // In a folder without before-images nothing else is synced that would do.
      const { untouched, trees } = problemsOf === problemsAfterKill ? bare : used;
      const forgetful = untouched.copy();
      forgetful.disk.swallows = (asked) => asked === site;
      const { value } = await problemsOf({ untouched: forgetful, trees }).next();
      expect(value).toEqual(expect.any(String));
    },
    300_000,
  );
});
