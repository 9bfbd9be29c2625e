/** The table of faults, and how a row of it is run. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { EXIT } from '../../engine/sdk/index.ts';
import { answers } from './answers.ts';
import { clock } from './clock.ts';
import { disk } from './disk.ts';
import { dry } from './dry.ts';
import type { Fault } from './fault.ts';
import { joinOn } from './join.ts';
import { joinUnder, type KernelFault, kernel } from './kernel.ts';
import { machine } from './machine.ts';
import { network } from './network.ts';
import {
  expectAnonymousDiscovery,
  expectEnding,
  expectInTime,
  expectJoined,
  expectNothingDone,
  expectReadable,
  expectWhole,
  treeOf,
} from './promises.ts';
import { endScene, makeScene, type Scene } from './scene.ts';
import { trust } from './trust.ts';

interface Row {
  theme: string;
  title: string;
  /** A known defect. The row must fail until the defect is fixed. */
  shows: string | undefined;
  clocks: Fault['clocks'];
  /** Resolves to the reason if this machine does not allow the fault. */
  run: (scene: Scene) => Promise<string | undefined>;
}

const rowOf = (theme: string, fault: Fault): Row => ({
  theme,
  title: `${theme}: ${fault.name} at ${fault.where}`,
  shows: fault.shows,
  clocks: fault.clocks,
  run: (scene) => withFault(scene, fault),
});
const kernelRow = (fault: KernelFault): Row => ({
  theme: 'kernel',
  title: `kernel: ${fault.name} at ${fault.where}`,
  shows: undefined,
  clocks: {},
  run: (scene) => withKernelFault(scene, fault),
});

export const table: Row[] = [
  ...Object.entries({ network, answers, trust, clock, disk, machine, dry }).flatMap(([theme, faults]) =>
    faults.map((fault) => rowOf(theme, fault)),
  ),
  ...kernel.map(kernelRow),
];

/** Registers the rows of these themes as tests, and reports how many faults were injected. */
export function testFaults(themes: readonly string[]): void {
  const rows = table.filter(({ theme }) => themes.includes(theme));
  const injected = new Map(themes.map((theme) => [theme, 0]));
  const remarks: string[] = [];

  test.concurrent.each(rows.map((row) => [row.title, row] as const))(
    '%s',
    async (title, { theme, shows, clocks, run }) => {
      const scene = await makeScene(clocks);
      try {
        if (shows === undefined) {
          const refused = await run(scene);
          if (refused !== undefined) return void remarks.push(`not injected: ${title}: ${refused}`);
        } else {
          await expect(run(scene), `fixed: ${shows}`).rejects.toThrow();
          remarks.push(`known defect: ${title}: ${shows}`);
        }
        injected.set(theme, (injected.get(theme) ?? 0) + 1);
      } finally {
        await endScene(scene);
      }
    },
  );

  afterAll(() => {
    const total = [...injected.values()].reduce((sum, count) => sum + count, 0);
    const counts = [...injected].map(([theme, count]) => `${theme} ${count}`).join(', ');
    const lines = [`${total} of ${rows.length} faults injected (${counts})`, ...remarks.map((text) => `  ${text}`)];
    process.stdout.write(`${lines.join('\n')}\n`);
  });
}

async function withFault(scene: Scene, fault: Fault): Promise<undefined> {
  if (fault.joinedBefore === true) expect((await joinOn(scene)).result.status).toBe('succeeded');
  await fault.inject(scene);
  const before = treeOf(scene.root);
  const outcome = await joinOn(scene, fault);
  expectEnding(fault, outcome);
  expect(scene.met.size, 'faults that were met').toBe(scene.added);
  expectInTime(outcome, scene);
  expectReadable(outcome, scene);
  expectWhole(scene, before, outcome.wanted);
  expectAnonymousDiscovery(scene);
  await fault.also?.(scene, outcome);
  if (fault.dryRun === true) expectNothingDone(scene, before);
  else if (fault.ends === 'survives') await expectJoined(scene);
  else if (fault.lasting !== true && !isDeepStrictEqual(treeOf(scene.root), before)) {
    // The changes before the error stay, and the same command continues from there.
    scene.clearFaults();
    const again = await joinOn(scene);
    expectEnding({ ends: 'survives' }, again);
    await expectJoined(scene);
    expectWhole(scene, before, [...outcome.wanted, ...again.wanted]);
  }
}

async function withKernelFault(scene: Scene, fault: KernelFault): Promise<string | undefined> {
  const { code, stderr, left } = await joinUnder(scene, fault);
  if (/^(unshare|mount)/.test(stderr)) return stderr.trim();
  expect(stderr).toMatch(/^E_FILE in step/m);
  expect({ code, left }).toEqual({ code: EXIT.machine, left: '' });
  return undefined;
}
