/** A run is killed at each of its points. It is then resumed or undone as if nothing had happened. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { furnishLinked, furnishUsed } from './furnish.ts';
import { enter, inTurns, killed, problemsAfterResume, problemsAfterUndo, type Scene, upTo } from './kills.ts';
import { bundlePrograms } from './programs.ts';
import { Stage } from './stage.ts';

const STAGES = 2;
/**
 * The command itself resumes every tenth state. The program that was killed resumes the others, because it starts
 * faster.
 */
const BY_COMMAND_EVERY = 10;
/**
 * The undo of a finished run is killed at each point. The undo of an interrupted run is mostly the same, so it is
 * killed at every third point.
 */
const INTERRUPTED_EVERY = 3;

let folder: string;
let used: Stage[];
let linked: Stage[];
const numbers: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'joinery-crash-'));
  const programs = await bundlePrograms(folder);
  const open = (name: string, furnish: (root: string) => Promise<void>) =>
    Promise.all(Array.from({ length: STAGES }, (_, n) => Stage.open(join(folder, `${name}${n}`), programs, furnish)));
  [used, linked] = [await open('used', furnishUsed), await open('linked', furnishLinked)];
  await Promise.all([...used, ...linked].map(rehearse));
});
afterAll(async () => {
  await Promise.all([...used, ...linked].map((stage) => stage.close()));
  await rm(folder, { recursive: true, force: true });
  console.log(numbers.join('\n'));
});

/** The number of points of each mode in an undisturbed run. */
const pointsOf = new Map<Stage, Record<'run' | 'undo', number>>();
async function rehearse(stage: Stage): Promise<void> {
  const root = await stage.machine();
  const ran = await stage.act('run', root);
  expect(ran.status, ran.message).toBe('succeeded');
  expect(await stage.problemsOfRun(root)).toEqual([]);
  const undone = await stage.act('undo', root);
  expect(await stage.problemsOfUndo(root, true)).toEqual([]);
  pointsOf.set(stage, { run: ran.points, undo: undone.points });
  await stage.clear(root);
  await stage.rest(); // later processes start with the compiled code
}

async function sceneAt(stage: Stage, killAt: number | undefined): Promise<Scene> {
  const { root } = killAt === undefined ? { root: await stage.machine() } : await killed(stage, 'run', killAt);
  if (killAt === undefined) {
    stage.objects = [];
    expect((await stage.act('run', root)).status).toBe('succeeded');
  }
  const isRunning = stage.hasProcesses(root);
  await stage.end(root);
  return { root, objects: stage.objects, isRunning };
}

/** Counts kills, and recognises states that were tested before. */
class Tally {
  kills = 0;
  byCommand = 0;
  readonly #seen = new Set<string>();

  /** Undefined if the state was tested before; otherwise whether the command itself resumes it. */
  take(shape: string): { byCommand: boolean } | undefined {
    this.kills++;
    if (this.#seen.has(shape)) return undefined;
    this.#seen.add(shape);
    const byCommand = this.#seen.size % BY_COMMAND_EVERY === 0;
    if (byCommand) this.byCommand++;
    return { byCommand };
  }

  report(what: string, points: number): void {
    const { kills, byCommand } = this;
    numbers.push(
      `${what}: killed ${kills} times, at ${points} points; ${this.#seen.size} states (${byCommand} to the command)`,
    );
    expect(kills).toBeGreaterThanOrEqual(points);
  }
}

const pointsIn = (stages: Stage[], mode: 'run' | 'undo'): number =>
  Math.max(...stages.map((stage) => pointsOf.get(stage)?.[mode] ?? 0));

test('a run that was killed at any point is complete after a resume, and fully undone after an undo', async () => {
  const tally = new Tally();
  const points = pointsIn(used, 'run');
  const problems = await inTurns(used, upTo(points), async (stage, killAt) => {
    const { root, where } = await killed(stage, 'run', killAt);
    const taken = tally.take(stage.shapeOf(root));
    if (taken === undefined) return stage.clear(root).then(() => []);
    const mayRun = stage.hasProcesses(root) || where.includes('service start');
    const scene = { root: await stage.machine(root), objects: stage.objects, isRunning: false };
    const resumed = await problemsAfterResume(stage, root, taken.byCommand);
    await stage.clear(root);
    // A process cannot be copied.
    const twin = mayRun ? (await killed(stage, 'run', killAt)).root : await enter(stage, scene);
    const undone = await problemsAfterUndo(stage, twin, taken.byCommand);
    await Promise.all([twin, scene.root].map((path) => stage.clear(path)));
    return [...resumed.map((text) => `resumed: ${text}`), ...undone.map((text) => `undone: ${text}`)].map(
      (text) => `${where}: ${text}`,
    );
  });
  tally.report('run', points);
  expect(problems).toEqual([]);
});

/** The undo of a finished run, and of a run that was killed when its kubelet was running. */
test.each([
  ['finished', undefined],
  ['interrupted', 0.95],
])('the killed undo of a run that is %s is completed by another undo, or the run is resumed', async (what, part) => {
  const scenes = new Map<Stage, Scene>();
  let points = 0;
  for (const stage of used) {
    const scene = await sceneAt(stage, part === undefined ? undefined : Math.round(pointsIn([stage], 'run') * part));
    expect(scene.isRunning).toBe(true);
    scenes.set(stage, scene);
    const root = await enter(stage, scene);
    points = Math.max(points, (await stage.act('undo', root)).points);
    await stage.clear(root);
  }
  const tally = new Tally();
  const cases = upTo(points).filter((point) => part === undefined || point % INTERRUPTED_EVERY === 0);
  const problems = await inTurns(used, cases, async (stage, killAt) => {
    const { root, where } = await killed(stage, 'undo', killAt, scenes.get(stage));
    const taken = tally.take(stage.shapeOf(root));
    if (taken === undefined) return stage.clear(root).then(() => []);
    const found = await problemsAfterUndo(stage, root, taken.byCommand);
    await stage.clear(root);
    if (what === 'finished') return found.map((text) => `${where}: ${text}`); // its secrets are gone
    const again = await killed(stage, 'undo', killAt, scenes.get(stage));
    const problems = await problemsAfterResume(stage, again.root, taken.byCommand);
    await stage.clear(again.root);
    return [...found, ...problems.map((text) => `resumed: ${text}`)].map((text) => `${where}: ${text}`);
  });
  tally.report(`undo of a run that is ${what}`, cases.length);
  expect(problems).toEqual([]);
});
