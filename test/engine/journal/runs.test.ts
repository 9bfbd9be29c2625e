import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { realDisk } from '../../../engine/host/disk.ts';
import { MachineFiles } from '../../../engine/host/files.ts';
import { lockMachine } from '../../../engine/host/lock.ts';
import { realHost } from '../../../engine/host/real.ts';
import { RUNS_KEPT, Runs } from '../../../engine/journal/runs.ts';
import { kubeAccess } from '../../../engine/kube/access.ts';
import { run } from '../../../engine/run/run.ts';
import { fail, Secret, writes } from '../../../engine/sdk/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { START } from '../../helpers/journaled.ts';
import { scratch } from '../../helpers/machine.ts';
import { planOfSteps, type TestStep } from '../../helpers/plans.ts';

const { version: _, id: __, ...START_OF_RUN } = START;
const ETC = [writes('/etc/*', undefined, 'x')];
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

async function machine() {
  const root = await scratch();
  await mkdir(join(root, 'var/lib'), { recursive: true });
  const host = await realHost(root, { access: kubeAccess });
  let second = 0;
  const runs = new Runs(new MachineFiles(root), () => new Date(Date.UTC(2026, 10, 24, 10, 0, second++)));
  const folder = (id: string) => join(root, 'var/lib/joinery/runs', id);
  return { root, host, runs, folder, begin: (inputs: object = {}) => runs.begin({ ...START_OF_RUN, inputs }) };
}

const step = (id: string, act: TestStep['run'], more: Partial<TestStep> = {}): TestStep => ({
  id,
  effects: ETC,
  run: act,
  ...more,
});

describe('a run on disk', () => {
  test('a run has a folder from its first change on, and only root can read it', async () => {
    const { root, host, begin, folder } = await machine();
    const journal = begin({ token: new Secret('the-token') });
    const seen: boolean[] = [];
    const result = await run({
      plan: planOfSteps(
        step('looks', async () => void seen.push(existsSync(join(root, 'var/lib/joinery')))),
        step('writes', ({ files }) => files.write('/etc/a', 'x', 0o644), { needs: ['looks'] }),
        step(
          'fails',
          async () => {
            throw fail('E_FILE', { path: '/x', what: 'no space' });
          },
          { needs: ['writes'] },
        ),
      ),
      host,
      journal,
    });
    expect([seen, result.id]).toEqual([[false], journal.id]);
    const [state, runtime] = [join(root, 'var/lib/joinery'), join(root, 'run/joinery')];
    for (const path of [state, join(state, 'runs'), folder(journal.id), runtime, join(runtime, journal.id)])
      expect(await modeOf(path), path).toBe('700');
    expect(await modeOf(join(folder(journal.id), 'journal.jsonl'))).toBe('600');
    expect(await modeOf(join(runtime, journal.id, 'input.token'))).toBe('600');
    expect(await readFile(join(folder(journal.id), 'journal.jsonl'), 'utf8')).not.toContain('the-token');
  });

  test('a run without changes leaves no files, and a run that succeeded leaves no secret', async () => {
    const { root, host, runs, begin } = await machine();
    const idle = await run({ plan: planOfSteps(step('looks', () => ({}))), host, journal: begin() });
    expect([idle.id, await runs.ids(), await readdir(join(root, 'var/lib'))]).toEqual([undefined, [], []]);
    const plan = planOfSteps(step('writes', ({ files }) => files.write('/etc/a', 'x', 0o644)));
    const { id } = await run({ plan, host, journal: begin({ token: new Secret('the-token') }) });
    expect(await runs.ids()).toEqual([id]);
    expect(await readdir(join(root, 'run'))).toEqual([]);
  });

  test('a change is in the journal on disk before it is applied', async () => {
    const { host, begin, folder } = await machine();
    const journal = begin();
    const { apply } = host;
    let applied = 0;
    host.apply = async (change, signal) => {
      const text = await readFile(join(folder(journal.id), 'journal.jsonl'), 'utf8');
      if ('path' in change) expect(text).toContain(`"path":"${change.path}"`);
      applied++;
      return apply(change, signal);
    };
    const acts = ['/etc/a', '/etc/b', '/etc/c'].map((path, index) =>
      step(`s${index}`, ({ files }) => files.write(path, 'x', 0o644)),
    );
    await run({ plan: planOfSteps(...acts), host, journal });
    expect(applied).toBeGreaterThanOrEqual(4);
  });

  test('a run keeps the old content of a replaced file until the run is undone', async () => {
    const { root, host, begin, folder } = await machine();
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/a'), 'of before', { mode: 0o640 });
    const journal = begin();
    const act = step('a', async ({ files }) => {
      await files.write('/etc/a', new Secret('first'), 0o600);
      await files.write('/etc/a', new Secret('second'), 0o600);
    });
    await run({ plan: planOfSteps(act), host, journal });
    const images = (await readdir(folder(journal.id))).filter((name) => name.endsWith('.before'));
    expect(images).toHaveLength(1); // the content that the run itself wrote is not kept
    expect(await readFile(join(folder(journal.id), images[0] ?? ''), 'utf8')).toBe('of before');
  });

  test('a random value is the same after a crash, and changes only on request', async () => {
    const { runs, begin } = await machine();
    const journal = begin();
    const first = await journal.once('a', 'key', () => 'first');
    await journal.close();
    const reopened = await runs.open(journal.id);
    expect((await reopened.once('a', 'key', () => 'second')).reveal()).toBe(first.reveal());
    expect((await reopened.once('b', 'key', () => 'other')).reveal()).toBe('other');
    expect((await reopened.again('a', 'key', () => 'third')).reveal()).toBe('third');
    await reopened.close();
    expect((await (await runs.open(journal.id)).once('a', 'key', () => 'fourth')).reveal()).toBe('third');
  });

  test('a resumed run repeats a finished step only if its secret outputs are lost', async () => {
    const { root, host, runs, begin } = await machine();
    const done: string[] = [];
    let broken = true;
    const key = { type: 'object', properties: { key: { type: 'string', writeOnly: true } } } as const;
    const plan = planOfSteps(
      step('plain', async ({ files }) => {
        done.push('plain');
        await files.write('/etc/a', 'x', 0o644);
      }),
      step(
        'secret',
        () => {
          done.push('secret');
          return { key: new Secret('the-key') };
        },
        { needs: ['plain'], output: key },
      ),
      step(
        'last',
        () => {
          done.push('last');
          if (broken) throw fail('E_FILE', { path: '/x', what: 'no space' });
          return {};
        },
        { needs: ['secret'] },
      ),
    );
    const journal = begin();
    expect((await run({ plan, host, journal })).status).toBe('failed');
    await run({ plan, host, journal: await runs.open(journal.id) });
    expect(done).toEqual(['plain', 'secret', 'last', 'last']);
    await rm(join(root, 'run/joinery'), { recursive: true });
    broken = false;
    const result = await run({ plan, host, journal: await runs.open(journal.id) });
    expect(done.slice(4)).toEqual(['secret', 'last']);
    expect(result.steps.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect((await runs.history(journal.id)).status).toBe('succeeded');
  });

  test('a resumed run repairs a record that a full disk has cut', async () => {
    const { root, host } = await machine();
    let full = true;
    const disk = {
      ...realDisk,
      open: async (...args: Parameters<typeof fs.open>) => {
        const handle = await fs.open(...args);
        if (!String(args[0]).endsWith('journal.jsonl')) return handle;
        const append = handle.appendFile.bind(handle);
        handle.appendFile = async (bytes) => {
          if (!full || !String(bytes).includes('/etc/b')) return append(bytes);
          await append(String(bytes).slice(0, 40));
          throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        };
        return handle;
      },
    };
    const runs = new Runs(new MachineFiles(root, disk));
    const journal = runs.begin(START_OF_RUN);
    const write = (path: string) => step(path.slice(5), ({ files }) => files.write(path, 'x', 0o644));
    const first = await run({
      plan: planOfSteps(write('/etc/a'), { ...write('/etc/b'), needs: ['a'] }),
      host,
      journal,
    });
    expect(first.error).toMatchObject({ code: 'E_FILE', message: expect.stringContaining('no space left') });
    full = false;
    const again = await runs.open(journal.id);
    await run({ plan: planOfSteps(write('/etc/a'), { ...write('/etc/b'), needs: ['a'] }), host, journal: again });
    expect((await runs.history(journal.id)).status).toBe('succeeded');
  });
});

describe('the runs of a machine', () => {
  test('a run is found by its ID or by a unique prefix of it', async () => {
    const { runs, begin } = await machine();
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      const journal = begin();
      await journal.once('a', 'key', () => 'x');
      await journal.close();
      ids.unshift(journal.id);
    }
    expect(await runs.ids()).toEqual(ids);
    const [newest = '', , oldest = ''] = ids;
    expect(await runs.find(undefined, () => true, 'show')).toBe(newest);
    expect(await runs.find(oldest.slice(0, 15), () => true, 'show')).toBe(oldest);
    for (const prefix of ['2026', '2027', '../../etc'])
      expect(await joinErrorOf(() => runs.find(prefix, () => true, 'show'))).toMatchObject({ code: 'E_RUN_UNKNOWN' });
    expect(await joinErrorOf(() => runs.find(undefined, () => false, 'undo'))).toMatchObject({ code: 'E_RUN_NONE' });
  });

  test('an empty text finds no run, even if it is the only one', async () => {
    const { runs, begin } = await machine();
    const journal = begin();
    await journal.once('a', 'key', () => 'x');
    await journal.close();
    for (const what of ['show', 'resume', 'undo', 'delete']) {
      const error = await joinErrorOf(() => runs.find('', () => true, what));
      expect(error).toMatchObject({ code: 'E_RUN_UNKNOWN', exitCode: 2 });
      expect(error.message).toBe(`an empty text is not the ID of a run; recorded runs: ${journal.id}`);
    }
  });

  test('pruning deletes finished runs except the newest ones, and never deletes an unfinished run', async () => {
    const { runs, begin } = await machine();
    const open = begin();
    await open.once('a', 'key', () => 'x');
    const over: string[] = [];
    for (let count = 0; count < RUNS_KEPT + 2; count++) {
      const journal = begin();
      await journal.once('a', 'key', () => 'x');
      await journal.finished({ status: 'succeeded' });
      await journal.close();
      over.unshift(journal.id);
    }
    expect((await runs.prune(RUNS_KEPT)).sort()).toEqual(over.slice(RUNS_KEPT).sort());
    expect(await runs.ids()).toEqual([...over.slice(0, RUNS_KEPT), open.id]);
  });

  test('the error for a damaged journal names the line, and the run can be deleted', async () => {
    const { runs, begin, folder } = await machine();
    const journal = begin();
    await journal.once('a', 'key', () => 'x');
    await journal.once('a', 'other', () => 'x');
    await journal.close();
    const file = join(folder(journal.id), 'journal.jsonl');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"made"', '"mad3"'));
    expect(await joinErrorOf(() => runs.open(journal.id))).toMatchObject({
      code: 'E_JOURNAL_DAMAGED',
      facts: { line: 1 },
    });
    await runs.remove(journal.id);
    expect(await runs.ids()).toEqual([]);
  });
});

describe('the lock of a machine', () => {
  test('a machine is locked once, also through another path, and its lock leaves no folder', async () => {
    const { root } = await machine();
    const held = await lockMachine(root);
    const other = `${root}-seen`;
    await symlink(root, other);
    for (const path of [root, other])
      expect(await joinErrorOf(() => lockMachine(path))).toMatchObject({ code: 'E_RUN_LOCKED', exitCode: 2 });
    await held.release();
    await rm(other);
    expect(await readdir(join(root, 'var/lib'))).toEqual([]);
    await (await lockMachine(root)).release();
  });

  test('two machines have two locks', async () => {
    const [one, two] = [await machine(), await machine()];
    const [first, second] = [await lockMachine(one.root), await lockMachine(two.root)];
    await Promise.all([first.release(), second.release()]);
  });

  test('the lock is free as soon as its process is killed', { timeout: 30_000 }, async () => {
    const { root } = await machine();
    const holder = join(root, 'holder.mts');
    const lock = new URL('../../../engine/host/lock.ts', import.meta.url).href;
    await writeFile(
      holder,
      `import { lockMachine } from '${lock}';\nawait lockMachine('${root}');\nprocess.send('held');\nsetInterval(() => {}, 1000);\n`,
    );
    const child = fork(holder, { execArgv: ['--import', 'tsx'] });
    await once(child, 'message');
    expect(await joinErrorOf(() => lockMachine(root))).toMatchObject({ code: 'E_RUN_LOCKED' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await lockMachine(root)).release();
  });
});
