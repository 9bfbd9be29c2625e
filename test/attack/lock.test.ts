/** Two runs on one machine, whatever separates them, and two writers of one journal. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MachineFiles } from '../../engine/host/files.ts';
import { lockHolder, lockMachine } from '../../engine/host/lock.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { isJoinError } from '../../engine/sdk/index.ts';
import { cli, project, start } from '../bin/cli.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { START } from '../helpers/journaled.ts';
import { scratch } from '../helpers/machine.ts';

const isRoot = process.getuid?.() === 0;
const { version: _, id: __, ...START_OF_RUN } = START;
const HOLDER = `const { lockMachine } = await import(process.argv[2]);
const lock = await lockMachine(process.argv[3]);
await lock.announce('20261124-100000-0000');
process.stdout.write('held');
setInterval(() => {}, 1000);
`;

async function machine(): Promise<string> {
  const root = await scratch();
  await mkdir(join(root, 'var/lib'), { recursive: true });
  return root;
}

/** Another process that holds the lock of `root`, started by the program in `wrapper`. */
async function holderOf(root: string, wrapper: readonly string[] = []): Promise<ChildProcess> {
  const script = join(await scratch(), 'holder.mts');
  await writeFile(script, HOLDER);
  const module = new URL('../../engine/host/lock.ts', import.meta.url).href;
  const [program = '', ...args] = [...wrapper, process.execPath, '--import', 'tsx', script, module, root];
  const child = spawn(program, args, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

describe('the lock of a machine', () => {
  test('a process that holds the lock is named, until it is killed', { timeout: 60_000 }, async () => {
    const root = await machine();
    expect(await lockHolder(root)).toBeUndefined();
    const child = await holderOf(root);
    const facts = { pid: child.pid, run: '20261124-100000-0000' };
    expect(await lockHolder(root)).toEqual(facts);
    const error = await joinErrorOf(() => lockMachine(root));
    expect(error).toMatchObject({ code: 'E_RUN_LOCKED', exitCode: 2, facts });
    expect(error.message).toContain(`another run (20261124-100000-0000, pid ${child.pid}) is in progress`);
    expect(error.hint).toContain(`ps -fp ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await lockHolder(root)).toBeUndefined();
    await (await lockMachine(root)).release();
    expect(await readdir(join(root, 'var/lib'))).toEqual([]);
  });

  test.skipIf(!isRoot).each([
    ['network', ['unshare', '--net']],
    ['mount, PID and IPC', ['unshare', '--mount', '--ipc', '--uts', '--pid', '--fork', '--kill-child']],
  ])('a process in another %s namespace cannot take it', { timeout: 60_000 }, async (_name, wrapper) => {
    const root = await machine();
    await holderOf(root, wrapper);
    expect(await joinErrorOf(() => lockMachine(root))).toMatchObject({ code: 'E_RUN_LOCKED' });
  });

  test.skipIf(!isRoot)(
    'a process that sees the machine through a bind mount cannot take it',
    async () => {
      const root = await machine();
      const other = await scratch();
      const mounted = `mount --bind "${root}" "${other}" && exec "$@"`;
      await holderOf(other, ['unshare', '--mount', 'sh', '-c', mounted, 'sh']);
      expect(await joinErrorOf(() => lockMachine(root))).toMatchObject({ code: 'E_RUN_LOCKED' });
    },
    60_000,
  );

  test('a machine without /var/lib has the same lock, and nothing of it remains', async () => {
    const root = await scratch();
    const held = await lockMachine(root);
    expect(await joinErrorOf(() => lockMachine(root))).toMatchObject({ code: 'E_RUN_LOCKED' });
    await held.release();
    expect(await readdir(root)).toEqual([]);
  });

  test('the lock and its folder are for the owner alone, whatever the umask is', async () => {
    const root = await machine();
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const held = await lockMachine(root);
    const modeOf = async (path: string) => ((await stat(join(root, path))).mode & 0o777).toString(8);
    expect([await modeOf('var/lib/joinery'), await modeOf('var/lib/joinery/lock')]).toEqual(['700', '600']);
    await held.release();
  });

  test('the lock of a machine is never held twice by processes that take and delete it at the same time', {
    timeout: 60_000,
  }, async () => {
    const root = await machine();
    let [holders, most, taken] = [0, 0, 0];
    const contend = async () => {
      for (let round = 0; round < 8; round++) {
        const lock = await lockMachine(root).catch((error) => {
          if (isJoinError(error) && error.code === 'E_RUN_LOCKED') return undefined;
          throw error;
        });
        if (lock === undefined) continue;
        most = Math.max(most, ++holders);
        taken++;
        await sleep(1);
        holders--;
        await lock.release();
      }
    };
    await Promise.all(Array.from({ length: 6 }, contend));
    expect(most).toBe(1);
    expect(taken).toBeGreaterThan(5);
  });

  test('a link or a directory in its place is not followed', async () => {
    const root = await machine();
    await mkdir(join(root, 'var/lib/joinery/lock'), { recursive: true, mode: 0o700 });
    expect(await joinErrorOf(() => lockMachine(root))).toMatchObject({ code: 'E_FILE' });
  });

  test('a flock program that fails is not taken for a held lock', async () => {
    const root = await machine();
    const programs = await scratch();
    await writeFile(join(programs, 'flock'), '#!/bin/sh\necho "No locks available" >&2\nexit 1\n');
    await chmod(join(programs, 'flock'), 0o755);
    const { PATH } = process.env;
    process.env.PATH = `${programs}:${PATH}`;
    onTestFinished(() => {
      process.env.PATH = PATH;
    });
    const { code, message } = await joinErrorOf(() => lockMachine(root));
    expect(code).toBe('E_FILE');
    expect(message).toContain('No locks available');
  });
});

describe('a journal with two writers', () => {
  const count = (journal: Journal, step: string) =>
    journal.history().changes.filter((item) => item.step === step).length;
  const change = (journal: Journal, step: string, n: number) =>
    journal.change(step, { kind: 'directory', path: `/${step}${n}`, mode: 0o755 }, async () => ({
      before: { kind: 'absent' },
    }));

  async function twoWriters() {
    const root = await machine();
    const journal = new Runs(new MachineFiles(root)).begin({ ...START_OF_RUN, inputs: {} });
    await change(journal, 'first', 0);
    const other = await new Runs(new MachineFiles(root)).open(journal.id);
    return { root, journal, other };
  }

  test('a writer stops before its next change if another has written, and the journal can be read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 12 }), async (turns) => {
        const { root, journal, other } = await twoWriters();
        const written = { first: 1, other: 0 };
        for (const [n, isFirst] of turns.entries()) {
          const [name, writer] = isFirst ? (['first', journal] as const) : (['other', other] as const);
          const error = await change(writer, name, n + 1).then(
            () => undefined,
            (thrown) => thrown,
          );
          if (error === undefined) written[name]++;
          else expect(error).toMatchObject({ code: 'E_JOURNAL_SHARED', exitCode: 6 });
        }
        const read = await new Runs(new MachineFiles(root)).open(journal.id);
        expect({ first: count(read, 'first'), other: count(read, 'other') }).toEqual(written);
      }),
      { numRuns: 15 },
    );
  });

  test('a writer stops before its next change if the journal has been deleted', async () => {
    const { root, journal } = await twoWriters();
    await change(journal, 'first', 1);
    await rm(join(root, 'var/lib/joinery/runs', journal.id, 'journal.jsonl'));
    expect(await joinErrorOf(() => change(journal, 'first', 2))).toMatchObject({ code: 'E_JOURNAL_SHARED' });
  });
});

describe('two runs at once', () => {
  const STEPS = [
    '{ id: a, uses: file, with: { path: /etc/one, content: x } }',
    '{ id: b, uses: command, with: { argv: [wait-for-go], irreversible: x } }',
    '{ id: c, uses: file, with: { path: /etc/two, content: x } }',
  ];
  test.skipIf(!isRoot)(
    'the second is refused in another network namespace, and names the first',
    async () => {
      const root = await machine();
      await mkdir(join(root, 'usr/bin'), { recursive: true });
      await writeFile(join(root, 'usr/bin/wait-for-go'), `#!/bin/sh\nwhile [ ! -e ${root}/go ]; do sleep 0.1; done\n`);
      await chmod(join(root, 'usr/bin/wait-for-go'), 0o755);
      const pipeline = join(root, 'p.yaml');
      const head = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: attack }\nsteps:\n';
      await writeFile(pipeline, `${head}${STEPS.map((step) => `  - ${step}\n`).join('')}`);
      const args = ['run', '--pipeline', pipeline, '--root', root];
      const { child, outcome } = start(args);
      await expect
        .poll(
          () =>
            stat(join(root, 'etc/one')).then(
              () => true,
              () => false,
            ),
          { timeout: 30_000 },
        )
        .toBe(true);
      const [id] = await readdir(join(root, 'var/lib/joinery/runs'));
      const launcher = [process.execPath, join(project, 'bin/join'), ...args];
      const second = () => execFileSync('unshare', ['--net', ...launcher], { stdio: 'pipe' });
      expect(second).toThrow(`another run (${id}, pid ${child.pid}) is in progress`);
      expect((await cli(['runs', '--root', root])).stdout).toContain(`running (pid ${child.pid})`);
      const { runs } = JSON.parse((await cli(['runs', '--root', root, '--output', 'json'])).stdout);
      expect(runs).toMatchObject([{ id, pid: child.pid }]);
      await writeFile(join(root, 'go'), '');
      expect((await outcome).code).toBe(0);
      expect((await cli(['undo', '--yes', '--root', root])).code).toBe(0);
      expect(await readFile(join(root, 'etc/one'), 'utf8').catch(() => 'gone')).toBe('gone');
    },
    90_000,
  );
});
