/** Names that are given to something else between a check and the use: directories, links and hard links. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Disk, realDisk } from '../../engine/host/disk.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import { lockMachine } from '../../engine/host/lock.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { machine, SECRET, tree, USER } from '../helpers/users-machine.ts';

const { chmodSync, lchownSync, linkSync, lstatSync, symlinkSync, writeFileSync } = fs;
const { readdirSync, readFileSync, renameSync, rmSync } = fs;
const OWNER = { uid: USER, gid: USER };
const isRoot = process.getuid?.() === 0;

/** A real disk that calls `before` before each of its calls. */
function watchedDisk(before: () => void): Disk {
  const watched = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value === 'object' && value !== null) return watched(value);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          before();
          return value.apply(target, args);
        };
      },
    });
  return watched(realDisk);
}

/** What user 1000 can do: gives a name in one of its own folders to a link, or the other way round. */
function exchange(path: string, target: string): () => void {
  const aside = `${path}.aside`;
  return () => {
    if (lstatSync(aside, { throwIfNoEntry: false }) !== undefined) {
      rmSync(path, { recursive: true, force: true });
      return renameSync(aside, path);
    }
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
    renameSync(path, aside);
    symlinkSync(target, path);
    lchownSync(path, USER, USER);
  };
}

type Act = (files: MachineFiles) => Promise<unknown>;
const content = Buffer.from('new');
const acts: Record<string, Act> = {
  'a file is written': (files) => files.editFile('/home/u/own/deep/job', content, 0o666),
  'a file is written for the user': (files) => files.editFile('/home/u/own/deep/job', content, 0o600, OWNER),
  'a directory is created for the user': (files) => files.createDirectory('/home/u/own/deep/new', 0o777, OWNER),
  'a link is created': (files) => files.replaceLink('/home/u/own/deep/link', 'job'),
  'a file is removed': (files) => files.remove('/home/u/own/deep/job'),
  'a folder is removed with all below it': (files) => files.removeTree('/home/u/own'),
  'a file is kept and put back': async (files) => {
    await files.keepFile('/home/u/own/deep/job', '/data/kept');
    await files.putBack('/data/kept', '/home/u/own/deep/job', { content: Buffer.from('of the user'), mode: 0o644 });
  },
  'a file is read': (files) => files.read('/home/u/own/deep/job'),
  'a folder is listed': (files) => files.list('/home/u/own/deep'),
};
/** Which name becomes a link, and where it leads. */
const exchanged: [name: string, target: string][] = [
  ['home/u/own', '../../etc/cron.d'],
  ['home/u/own/deep', '../../../etc/cron.d/deep'],
  ['home/u/own/deep/job', '../../../../etc/cron.d/job'],
  ['home/u/own/deep/.job.joinery.tmp', '../../../../etc/cron.d/job'],
  ['home/u/own/deep/.new.joinery.tmp', '../../../../etc/cron.d/deep'],
];

describe.skipIf(!isRoot)('a user who exchanges a name in an own folder for a link', () => {
  test.each(Object.keys(acts))(
    'a user who exchanges a name for a link reaches nothing of root, at whichever call and for however long: %s',
    async (name) => {
      const act = acts[name] as Act;
      for (const [path, target] of exchanged) {
        // The calls before which the name exists.
        const rehearsal = await machine();
        const calls: boolean[] = [];
        const exists = () => lstatSync(join(rehearsal.root, path), { throwIfNoEntry: false }) !== undefined;
        await act(
          new MachineFiles(
            rehearsal.root,
            watchedDisk(() => calls.push(exists())),
          ),
        );
        for (const [from, isThere] of calls.entries())
          for (const callsLong of isThere ? [1, Number.POSITIVE_INFINITY] : []) {
            const { root } = await machine();
            const before = tree(join(root, 'etc'));
            const swap = exchange(join(root, path), target);
            let call = -1;
            const disk = watchedDisk(() => {
              call++;
              if (call === from || call === from + callsLong) swap();
            });
            const result = await act(new MachineFiles(root, disk)).catch(() => undefined);
            expect([path, from, ...tree(join(root, 'etc'))]).toEqual([path, from, ...before]);
            expect(String(result)).not.toContain(SECRET);
          }
      }
    },
    120_000,
  );

  test('a user who exchanges a new directory for one of root does not become its owner', async () => {
    const { root, make, files } = await machine();
    make('home/u/roots', 0, 0o700);
    writeFileSync(join(root, 'home/u/roots/file'), SECRET);
    const temporary = join(root, 'home/u/.new.joinery.tmp');
    let isDone = false;
    const disk = watchedDisk(() => {
      if (isDone || lstatSync(temporary, { throwIfNoEntry: false }) === undefined) return;
      isDone = true;
      renameSync(temporary, `${temporary}.aside`);
      renameSync(join(root, 'home/u/roots'), temporary);
    });
    const error = await joinErrorOf(() => new MachineFiles(root, disk).createDirectory('/home/u/new', 0o755, OWNER));
    expect(error.message).toBe('/home/u/new: was exchanged while it was created');
    expect(await files.stat('/home/u/.new.joinery.tmp')).toMatchObject({ uid: 0, mode: 0o700 });
  });

  test('a user gets no file of root by a hard link to it, neither by a run nor by an undo', async () => {
    const { root, files } = await machine();
    rmSync(join(root, 'home/u/own/job'));
    linkSync(join(root, 'etc/cron.d/job'), join(root, 'home/u/own/job'));
    const before = tree(join(root, 'etc'));
    await files.keepFile('/home/u/own/job', '/data/kept');
    await files.editFile('/home/u/own/job', content, 0o666, OWNER);
    expect(tree(join(root, 'etc'))).toEqual(before);
    expect(await files.putBack('/data/kept', '/home/u/own/job', { content: Buffer.from(SECRET), mode: 0o600 })).toBe(
      true,
    );
    await files.editFile('/home/u/own/job', content, 0o666, OWNER);
    expect(tree(join(root, 'etc'))).toEqual(before);
  });

  test('a user who exchanges a name for a named pipe does not stop the process', async () => {
    const { root, files } = await machine();
    rmSync(join(root, 'home/u/own/job'));
    execFileSync('mkfifo', [join(root, 'home/u/own/job')]);
    expect((await joinErrorOf(() => files.read('/home/u/own/job'))).message).toContain('is not a file');
    await files.editFile('/home/u/own/job', content, 0o644, OWNER);
    expect(await files.read('/home/u/own/job')).toEqual(content);
  });
});

describe.skipIf(!isRoot)('a directory that others can exchange', () => {
  test.each([
    ['belongs to another user', 'home/u', USER, 0o755, 'user 1000', 'chown 0 '],
    ['may be written by every user', 'data', 0, 0o777, 'every user', 'chmod o-w '],
    ['may be written by a group', 'data', 0, 0o775, 'group 0, or a user of its ACL,', 'chmod g-w '],
    ['may be written by a group of its own', 'data', 0, 0o2775, 'group 0, or a user of its ACL,', 'chmod g-w '],
  ])(
    'a directory that others can exchange is refused on the way to a directory of root if it %s',
    async (_, folder, uid, mode, who, command) => {
      const { root, make, files } = await machine();
      make(folder, uid, mode);
      make(join(folder, 'site'));
      const error = await joinErrorOf(() => files.replaceFile(`/${folder}/site/key`, content, 0o600));
      expect(error).toMatchObject({ code: 'E_PATH_UNSAFE', exitCode: 12 });
      expect(error.message).toContain(`${who} can exchange site in ${join(root, folder)} `);
      expect(error.hint).toContain(`${command}${join(root, folder)}`);
      expect(readdirSync(join(root, folder, 'site'))).toEqual([]);
    },
  );

  test.skipIf(spawnSync('setfacl', ['--version']).status !== 0)(
    'a directory that others can exchange is refused if an ACL lets a user write to it',
    async () => {
      const { root, make, files } = await machine();
      make('data/site');
      execFileSync('setfacl', ['-m', `u:${USER}:rwx`, join(root, 'data')]);
      const error = await joinErrorOf(() => files.replaceFile('/data/site/key', content, 0o600));
      expect(error).toMatchObject({ code: 'E_PATH_UNSAFE' });
      chmodSync(join(root, 'data'), 0o755);
      await files.replaceFile('/data/site/key', content, 0o600);
    },
  );

  test('a directory is used if one user owns all below it, or if only owners may exchange names in it', async () => {
    const { make, files } = await machine();
    make('tmp', 0, 0o1777);
    make('tmp/site');
    make('tmp/of-user', USER);
    make('home/u/shared', USER, 0o775);
    make('home/u/shared/deep', USER);
    for (const path of ['/home/u/own/deep/x', '/home/u/shared/deep/x', '/tmp/site/x', '/tmp/of-user/x']) {
      await files.replaceFile(path, content, 0o644);
      expect(await files.read(path)).toEqual(content);
    }
  });

  test('a directory that others can exchange is used by its owner', async () => {
    const { make, files } = await machine();
    make('home/u/site');
    const spy = vi.spyOn(process, 'geteuid').mockReturnValue(USER);
    onTestFinished(() => spy.mockRestore());
    await files.replaceFile('/home/u/site/x', content, 0o644);
    expect(await files.read('/home/u/site/x')).toEqual(content);
  });

  test('a directory that others can exchange gets no folder of Joinery in it', async () => {
    const { root, make } = await machine();
    make('var/lib', USER);
    expect(await joinErrorOf(() => lockMachine(root))).toMatchObject({ code: 'E_STATE_UNTRUSTED' });
    expect(readdirSync(join(root, 'var/lib'))).toEqual([]);
  });
});

describe.skipIf(!isRoot)('a link of root', () => {
  test('a link of root is followed, wherever it is on the way, also if the root of the machine is one', async () => {
    const { root, make } = await machine();
    make('run');
    make('var');
    symlinkSync('/data/kubernetes', join(root, 'etc/kubernetes'));
    symlinkSync('../run', join(root, 'var/run'));
    const linked = `${root}.link`;
    symlinkSync(root, linked);
    onTestFinished(() => rmSync(linked));
    const files = new MachineFiles(linked);
    for (const [path, real] of [
      ['/etc/kubernetes/x', 'data/kubernetes/x'],
      ['/var/run/x', 'run/x'],
    ] as const) {
      await files.replaceFile(path, content, 0o644);
      expect(readFileSync(join(root, real))).toEqual(content);
      await files.remove(path);
    }
    await files.removeTree('/etc/kubernetes');
    expect(readdirSync(join(root, 'data'))).toEqual(['kubernetes']);
  });

  test.each([
    ['leads into a folder of a user, and a link of that user out of it', '/home/u/link', USER],
    ['is in a folder of a user, who could exchange it', '/etc/cron.d', 0],
  ])('a link of root is not followed if it %s', async (_, target, linkOwner) => {
    const { root, files } = await machine();
    symlinkSync('/etc/cron.d', join(root, 'home/u/link'));
    lchownSync(join(root, 'home/u/link'), linkOwner, linkOwner);
    symlinkSync(target, join(root, 'data/link'));
    const path = linkOwner === 0 ? '/home/u/link/new' : '/data/link/new';
    const error = await joinErrorOf(() => files.replaceFile(path, content, 0o644));
    expect(error.message).toContain('/home/u/link is a link that others than root can place, so it is not followed');
  });
});
