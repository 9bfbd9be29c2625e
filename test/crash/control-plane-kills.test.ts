/** A join of a control plane is killed by SIGKILL at points of its run and undo. It is then resumed or undone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlPlaneStage } from './control-plane-stage.ts';
import { enter, inTurns, killed, problemsAfterResume, problemsAfterUndo, upTo } from './kills.ts';
import { bundlePrograms, type Programs } from './programs.ts';

const STAGES = 2;
/** Of the points. All of them take hours; test/crash/control-plane.test.ts stops at each eighth state in memory. */
const RUN_EVERY = 83;
const UNDO_EVERY = 127;
/** The command itself resumes and undoes every third one. */
const BY_COMMAND_EVERY = 3;

let folder: string;
let programs: Programs;
let stages: ControlPlaneStage[];
let points: Record<'run' | 'undo', number>;
const numbers: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'joinery-crash-'));
  programs = await bundlePrograms(folder);
  const open = (_: unknown, n: number) => ControlPlaneStage.openFor(join(folder, `cp${n}`), programs);
  stages = await Promise.all(Array.from({ length: STAGES }, open));
  const counted = await Promise.all(stages.map(rehearse));
  points = {
    run: Math.min(...counted.map(({ run }) => run)),
    undo: Math.min(...counted.map(({ undo }) => undo)),
  };
}, 120_000);
afterAll(async () => {
  await Promise.all(stages.map((stage) => stage.close()));
  await rm(folder, { recursive: true, force: true });
  console.log(numbers.join('\n'));
});

/** The number of points of an undisturbed run and undo. */
async function rehearse(stage: ControlPlaneStage): Promise<Record<'run' | 'undo', number>> {
  const root = await enter(stage, undefined);
  const ran = await stage.act('run', root);
  expect(ran.status, ran.message).toBe('succeeded');
  expect(await stage.problemsOfRun(root)).toEqual([]);
  const undone = await stage.act('undo', root);
  expect(await stage.problemsOfUndo(root, true)).toEqual([]);
  await stage.clear(root);
  await stage.rest();
  return { run: ran.points, undo: undone.points };
}

const everyOf = (count: number, every: number): number[] => upTo(count).filter((point) => point % every === 0);
const isByCommand = (killAt: number, every: number): boolean => (killAt / every) % BY_COMMAND_EVERY === 0;

/** Certificates that were on the disk when the run was killed stay the same. */
async function resumed(stage: ControlPlaneStage, killAt: number): Promise<string[]> {
  const { root, where } = await killed(stage, 'run', killAt);
  const before = stage.certificates(root);
  const problems = await problemsAfterResume(stage, root, isByCommand(killAt, RUN_EVERY));
  const after = stage.certificates(root);
  for (const [path, line] of before) if (after.get(path) !== line) problems.push(`${path} is another one`);
  await stage.clear(root);
  return problems.map((text) => `${where}, resumed: ${text}`);
}

async function undone(stage: ControlPlaneStage, killAt: number): Promise<string[]> {
  const { root, where } = await killed(stage, 'run', killAt);
  const problems = await problemsAfterUndo(stage, root, isByCommand(killAt, RUN_EVERY));
  await stage.clear(root);
  return problems.map((text) => `${where}, undone: ${text}`);
}

test('a killed run is undone, or resumed to one new voter, the same certificates and running Pods', async () => {
  const cases = everyOf(points.run, RUN_EVERY);
  const problems = await inTurns(stages, cases, async (stage, killAt) => [
    ...(await resumed(stage, killAt)),
    ...(await undone(stage, killAt)),
  ]);
  numbers.push(`run of a control plane: killed ${2 * cases.length} times, of ${points.run} points`);
  expect(problems).toEqual([]);
});

test('a killed undo is completed by another undo: the members and files of before', async () => {
  const cases = everyOf(points.undo, UNDO_EVERY);
  const problems = await inTurns(stages, cases, async (stage, killAt) => {
    const root = await enter(stage, undefined);
    const ran = await stage.act('run', root);
    if (ran.status !== 'succeeded') return [`run: ${ran.code} ${ran.message}`];
    const kill = await stage.kill('undo', root, killAt);
    const found = await problemsAfterUndo(stage, root, isByCommand(killAt, UNDO_EVERY));
    await stage.clear(root);
    return kill === undefined ? [`the undo has no point ${killAt}`] : found.map((text) => `${kill.where}: ${text}`);
  });
  numbers.push(`undo of a control plane: killed ${cases.length} times, of ${points.undo} points`);
  expect(problems).toEqual([]);
});

test.each(['1.20', '1.28', '1.31'] as const)(
  'a control plane of %s joins the sandbox, and is undone',
  async (profile) => {
    const stage = await ControlPlaneStage.openFor(join(folder, profile), programs, profile);
    await rehearse(stage);
    await stage.close();
  },
);
