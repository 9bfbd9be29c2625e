/** Records that are believed because of their place: written by another user, or on another machine. */
import { chmod, chown, mkdir, rename as move, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { journalFor } from '../../bin/runs/start.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import { lockMachine } from '../../engine/host/lock.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { Secret } from '../../engine/sdk/index.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { START } from '../helpers/journaled.ts';
import { scratch } from '../helpers/machine.ts';
import { planOfSteps } from '../helpers/plans.ts';

const isRoot = process.getuid?.() === 0;
const OTHER_USER = 1000;
const { version: _, id: __, ...START_OF_RUN } = START;
const IDS = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'] as const;
const UUIDS = ['c0659378-e6a8-4f5f-a47f-51a406829ca5', '4c4c4544-0042-3510-8052-b4c04f303633'] as const;

/** A machine with the journal of a run that has replaced a file and used a secret. */
async function machine(machineId?: string) {
  const root = await scratch();
  await mkdir(join(root, 'var/lib'), { recursive: true });
  await mkdir(join(root, 'etc'));
  const identify = (id: string) => writeFile(join(root, 'etc/machine-id'), `${id}\n`);
  const rename = (name: string) => writeFile(join(root, 'etc/hostname'), `${name}\n`);
  if (machineId !== undefined) await identify(machineId);
  await rename('one');
  const runs = new Runs(new MachineFiles(root));
  const start = { ...START_OF_RUN, inputs: { token: new Secret('the-token') }, machine: await runs.machine() };
  const journal = runs.begin(start);
  await journal.change('a', { kind: 'remove', path: '/etc/app' }, async () => ({
    before: { kind: 'file', mode: 0o644, digest: 'of the file' },
    image: Buffer.from('before'),
  }));
  const folder = join(root, 'var/lib/joinery/runs', journal.id);
  return { root, runs, id: journal.id, folder, identify, rename };
}

const PLACES = [
  ['the directory above the state', '..', '0777'],
  ['the state folder', '', '0770'],
  ['the folder of all runs', 'runs', '0777'],
  ['the folder of the run', 'runs/ID', '0720'],
  ['the journal', 'runs/ID/journal.jsonl', '0660'],
  ['the journal', 'runs/ID/journal.jsonl', '0602'],
] as const;

describe('a journal that another user can change', () => {
  test.each(PLACES)(
    'a journal that another user can change is not read if %s (%s) has the mode %s',
    async (_name, place, mode) => {
      const { root, runs, id } = await machine();
      const path = join(root, 'var/lib/joinery', place.replace('ID', id));
      await chmod(path, Number.parseInt(mode, 8));
      const error = await joinErrorOf(() => runs.open(id));
      expect(error).toMatchObject({ code: 'E_STATE_UNTRUSTED', exitCode: 12, facts: { path, mode } });
      expect(error.hint).toContain(`chmod go-w ${path}`);
      for (const act of [() => runs.history(id), () => runs.find(undefined, () => true, 'undo')])
        expect(await joinErrorOf(act)).toMatchObject({ code: 'E_STATE_UNTRUSTED' });
    },
  );

  test.skipIf(!isRoot).each(PLACES)(
    'a journal that another user can change is not read if %s (%s) belongs to another user',
    async (_name, place) => {
      const { root, runs, id } = await machine();
      const path = join(root, 'var/lib/joinery', place.replace('ID', id));
      await chown(path, OTHER_USER, OTHER_USER);
      const error = await joinErrorOf(() => runs.open(id));
      expect(error).toMatchObject({ code: 'E_STATE_UNTRUSTED', facts: { path, owner: '1000:1000' } });
      expect(error.hint).toContain(`chown 0 ${path}`);
    },
  );

  test('the group of root is a group like any other', async () => {
    const { runs, id, folder } = await machine();
    await chmod(folder, 0o770);
    expect(await joinErrorOf(() => runs.open(id))).toMatchObject({ code: 'E_STATE_UNTRUSTED' });
  });

  test('a folder that is reached through a link is checked where it really is', async () => {
    const { root, runs, id } = await machine();
    const disk = join(root, 'disk');
    await mkdir(disk);
    await move(join(root, 'var/lib/joinery/runs'), join(disk, 'runs'));
    await symlink('/disk/runs', join(root, 'var/lib/joinery/runs'));
    await runs.open(id);
    await chmod(disk, 0o777);
    expect(await joinErrorOf(() => runs.open(id))).toMatchObject({ code: 'E_STATE_UNTRUSTED', facts: { path: disk } });
  });
});

test.each(['the folder', 'a file of it'])('secrets are not read if others can change %s', async (what) => {
  const { root, runs, id } = await machine();
  const folder = join(root, 'run/joinery', id);
  const [name = ''] = await readdir(folder);
  await chmod(what === 'the folder' ? folder : join(folder, name), 0o777);
  expect(await joinErrorOf(() => runs.open(id))).toMatchObject({ code: 'E_STATE_UNTRUSTED' });
});

test('a secret is not written into a folder that others can change', async () => {
  const { root, runs } = await machine();
  await chmod(join(root, 'run/joinery'), 0o777);
  const journal = runs.begin({ ...START_OF_RUN, inputs: {} });
  expect(await joinErrorOf(() => journal.once('a', 'key', () => 'x'))).toMatchObject({ code: 'E_STATE_UNTRUSTED' });
});

test('a before-image that others can change is not restored', async () => {
  const { runs, id, folder } = await machine();
  const journal = await runs.open(id);
  expect((await journal.image(1))?.toString()).toBe('before');
  await chmod(join(folder, '1.before'), 0o606);
  expect(await joinErrorOf(() => journal.image(1))).toMatchObject({ code: 'E_STATE_UNTRUSTED' });
});

test('no run begins, and nothing is deleted, in a state folder that others can change', async () => {
  const { root, folder } = await machine();
  const state = join(root, 'var/lib/joinery');
  await chmod(state, 0o777);
  const before = await readdir(dirname(folder));
  expect(await joinErrorOf(() => lockMachine(root))).toMatchObject({ code: 'E_STATE_UNTRUSTED' });
  expect(await readdir(state)).toEqual(['runs']);
  expect(await readdir(dirname(folder))).toEqual(before);
});

describe('the run of another machine', () => {
  test('the run of another machine-id is not resumed or undone, and the error names both', async () => {
    const { runs, id, identify } = await machine(IDS[0]);
    await runs.open(id);
    await identify(IDS[1]);
    const error = await joinErrorOf(() => runs.open(id));
    expect(error).toMatchObject({ code: 'E_RUN_OTHER_MACHINE', exitCode: 2 });
    for (const text of [...IDS, 'machine-id']) expect(error.message).toContain(text);
    expect(error.hint).toContain('join reset');
    await identify('uninitialized');
    expect(await joinErrorOf(() => runs.open(id))).toMatchObject({ code: 'E_RUN_OTHER_MACHINE' });
  });

  test('the run of another machine is recognized by the host name if the machine had no machine-id', async () => {
    const { runs, id, identify, rename } = await machine();
    await identify(IDS[0]); // as systemd sets it later
    await runs.open(id);
    await rename('two');
    const error = await joinErrorOf(() => runs.open(id));
    expect(error).toMatchObject({ code: 'E_RUN_OTHER_MACHINE', facts: { recorded: 'one', found: 'two' } });
  });

  test('the run of another machine is recognized by its firmware if a clone kept the machine-id', async () => {
    const { root, runs } = await machine(IDS[0]);
    const firmware = join(root, 'sys/class/dmi/id');
    const setUuid = (uuid: string) => writeFile(join(firmware, 'product_uuid'), `${uuid}\n`);
    await mkdir(firmware, { recursive: true });
    await setUuid(UUIDS[0]);
    const journal = runs.begin({ ...START_OF_RUN, inputs: {}, machine: await runs.machine() });
    await journal.once('a', 'key', () => 'x');
    await setUuid(UUIDS[0].toUpperCase());
    await runs.open(journal.id);
    await setUuid(UUIDS[1]);
    const facts = { source: 'product UUID', recorded: UUIDS[0], found: UUIDS[1] };
    expect(await joinErrorOf(() => runs.open(journal.id))).toMatchObject({ code: 'E_RUN_OTHER_MACHINE', facts });
    await rm(firmware, { recursive: true });
    await runs.open(journal.id); // it cannot be compared
  });

  test('a machine that only got another name is still the same', async () => {
    const { runs, id, rename } = await machine(IDS[0]);
    await rename('two');
    await runs.open(id);
  });

  test('the run of another machine is not continued by `join run` either, but a clone can be reset', async () => {
    const { runs, id, identify } = await machine(IDS[0]);
    await identify(IDS[1]);
    const plan = planOfSteps();
    expect(await joinErrorOf(() => journalFor(plan, runs))).toMatchObject({ code: 'E_RUN_OTHER_MACHINE' });
    const reset = { ...plan, source: { kind: 'phase', name: 'reset', digest: '' } } as const;
    expect((await journalFor(reset, runs)).isResumed).toBe(false);
    await runs.remove(id);
    expect((await journalFor(plan, runs)).isResumed).toBe(false);
  });

  test('a journal of an earlier version, which names no machine, is still read', async () => {
    const { runs } = await machine(IDS[0]);
    const journal = runs.begin({ ...START_OF_RUN, inputs: {} });
    await journal.once('a', 'key', () => 'x');
    await runs.open(journal.id);
  });
});
