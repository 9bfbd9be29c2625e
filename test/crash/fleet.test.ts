/** A rollout whose operator and Restate server are killed at random moments. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { atEnd } from '../helpers/endings.ts';
import { FakeMachines } from '../helpers/fake-fleet/machines.ts';
import { fleetFolder, SERVER } from '../helpers/fake-fleet/operator.ts';
import { PROJECT } from '../helpers/sources.ts';

const HOSTS = 60;
const KILLS = 20;

/** The operator as one file, because each start would compile it again. */
async function bundleIn(folder: string): Promise<string> {
  const outfile = join(folder, 'operator.cjs');
  await build({
    entryPoints: [join(PROJECT, 'test/helpers/fake-fleet/process.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(PROJECT, 'test/helpers/sources.ts')).href) },
  });
  return outfile;
}

/** The Restate server of an operator. */
function serverOf({ pid }: ChildProcess): number | undefined {
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each)))
    try {
      const parent = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1];
      const program = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')[0];
      if (Number(parent) === pid && program === SERVER) return Number(name);
    } catch {
      // the process has ended in the meantime
    }
  return undefined;
}

test(`each machine joins once, and no token is left, when operator and server are killed ${KILLS} times`, async () => {
  const machines = new FakeMachines({ joinMs: 150 });
  const url = await machines.listen();
  atEnd(() => machines.close());
  const { folder, remove } = fleetFolder();
  atEnd(remove);
  const program = await bundleIn(folder);
  const start = () => {
    const child = spawn(process.execPath, [program, join(folder, 'rack'), url, String(HOSTS), '4']);
    const hasStarted = once(child.stdout, 'data');
    return { child, hasStarted, output: text(child.stdout), errors: text(child.stderr) };
  };
  let operator = start();
  let ended = once(operator.child, 'exit');
  atEnd(() => void operator.child.kill('SIGKILL'));
  const killed = { operator: 0, server: 0 };
  while (killed.operator + killed.server < KILLS) {
    // Most kills meet a rollout in progress, and some an operator that starts.
    if (Math.random() < 0.8) await Promise.race([operator.hasStarted, ended]);
    await sleep(Math.random() * 800);
    if (operator.child.exitCode !== null) break;
    const server = Math.random() < 0.5 ? serverOf(operator.child) : undefined;
    if (server !== undefined) {
      process.kill(server, 'SIGKILL');
      killed.server++;
      continue;
    }
    operator.child.kill('SIGKILL');
    killed.operator++;
    await ended;
    operator = start();
    ended = once(operator.child, 'exit');
  }
  const [code] = await ended;
  expect({ code, errors: await operator.errors }).toEqual({ code: 0, errors: '' });
  expect(await operator.output).toContain(`succeeded ${HOSTS}`);
  expect(machines.violations).toEqual([]);
  expect([...machines.machines.values()].map(({ starts }) => starts)).toEqual(Array.from({ length: HOSTS }, () => 1));
  expect([...machines.tokens]).toEqual([]);
  expect(Math.min(killed.operator, killed.server)).toBeGreaterThan(2);
}, 240_000);
