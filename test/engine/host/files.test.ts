import { lstatSync, readdirSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../../engine/host/changes/index.ts';
import { type Disk, realDisk } from '../../../engine/host/disk.ts';
import { MachineFiles } from '../../../engine/host/files.ts';
import { writes } from '../../../engine/sdk/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { portsOn, rootedMachine } from '../../helpers/machine.ts';

const SIGNAL = new AbortController().signal;
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);
const withUmask = async <T>(mask: number, act: () => Promise<T>): Promise<T> => {
  const before = process.umask(mask);
  try {
    return await act();
  } finally {
    process.umask(before);
  }
};
const file = (path: string, text: string | Buffer, mode = 0o644): Extract<Change, { kind: 'file' }> => ({
  kind: 'file',
  path,
  content: Buffer.from(text),
  mode,
  secret: false,
});

describe('files of a machine', () => {
  test.each([0o000, 0o022, 0o077])('a file gets its mode whatever the umask (%i)', async (mask) => {
    const { root, host } = await rootedMachine();
    await withUmask(mask, async () => {
      for (const mode of [0o600, 0o644, 0o640, 0o755]) await host.apply(file(`/f${mode}`, 'x', mode), SIGNAL);
      await host.apply({ kind: 'directory', path: '/d', mode: 0o750 }, SIGNAL);
    });
    expect(await Promise.all(['f384', 'f420', 'f416', 'f493', 'd'].map((name) => modeOf(join(root, name))))).toEqual([
      '600',
      '644',
      '640',
      '755',
      '750',
    ]);
  });

  test('a change on a machine whose root was removed ends with an error', async () => {
    const { root, host } = await rootedMachine();
    const files = new MachineFiles(root);
    await rm(root, { recursive: true });
    expect((await joinErrorOf(() => files.createParents('/var/lib/joinery'))).code).toBe('E_FILE');
    const { ports } = portsOn(host, [writes('/etc/*', undefined, 'x')]);
    expect((await joinErrorOf(() => ports.files.write('/etc/a', 'x', 0o644))).code).toBe('E_FILE');
  });

  test.each([0o600, 0o640])('a file is never more open than mode %i, from the first byte on', async (mode) => {
    const { root, host } = await rootedMachine();
    const seen = new Set<string>();
    const big = Buffer.alloc(3 << 20, 'x');
    await withUmask(0, async () => {
      for (let round = 0; round < 10; round++) {
        let done = false;
        const writing = host.apply(file(`/secret${round}`, big, mode), SIGNAL).finally(() => {
          done = true;
        });
        while (!done) {
          for (const name of readdirSync(root)) {
            const now = lstatSync(join(root, name), { throwIfNoEntry: false });
            if (now !== undefined)
              seen.add(`${name.endsWith('.tmp') ? 'temporary' : 'final'} ${(now.mode & 0o777 & ~mode).toString(8)}`);
          }
          await setImmediate();
        }
        await writing;
      }
    });
    expect([...seen].sort()).toEqual(['final 0', 'temporary 0']);
  });

  test('a file is replaced in one step: a reader of the old one keeps it whole', async () => {
    const { root, host } = await rootedMachine();
    await host.apply(file('/a', 'old'), SIGNAL);
    const before = await lstat(join(root, 'a'));
    await host.apply(file('/a', 'new', 0o600), SIGNAL);
    const after = await lstat(join(root, 'a'));
    expect(after.ino).not.toBe(before.ino);
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('new');
    expect(await readdir(root)).toEqual(['a']);
  });

  test('a temporary file begins with a dot, as the kubelet reads every other name as a static Pod', async () => {
    const { root } = await rootedMachine();
    const manifest = '/etc/kubernetes/manifests/etcd.yaml';
    await mkdir(join(root, dirname(manifest)), { recursive: true });
    const temporary: string[] = [];
    const rename: Disk['rename'] = (from, to) => {
      temporary.push(basename(from));
      return realDisk.rename(from, to);
    };
    const files = new MachineFiles(root, { ...realDisk, rename });
    await files.editFile(manifest, Buffer.from('kind: Pod'), 0o600);
    await files.replaceLink(`${dirname(manifest)}/link`, 'etcd.yaml');
    await files.createDirectory(`${dirname(manifest)}/folder`, 0o700);
    const name = (of: string) => `.${of}.joinery.tmp`;
    expect(temporary).toEqual([name('etcd.yaml'), name('link'), name('folder')]);
  });

  test('a file that cannot replace a directory leaves nothing behind', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'd/full'), { recursive: true });
    const error = await joinErrorOf(() => host.apply(file('/d', 'x'), SIGNAL));
    expect(error).toMatchObject({ code: 'E_FILE', message: '/d: is a directory', exitCode: 6 });
    expect(await readdir(root)).toEqual(['d']);
    expect(await readdir(join(root, 'd'))).toEqual(['full']);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a file that cannot be written to a read-only directory leaves nothing behind (root is never refused)',
    async () => {
      const { root, host } = await rootedMachine();
      await mkdir(join(root, 'd'), { mode: 0o555 });
      const error = await joinErrorOf(() => host.apply(file('/d/x', 'x'), SIGNAL));
      expect(error).toMatchObject({ code: 'E_FILE', message: '/d/x: permission denied' });
      expect(await readdir(join(root, 'd'))).toEqual([]);
    },
  );

  test('a file cannot be written below a file', async () => {
    const { root, host } = await rootedMachine();
    await writeFile(join(root, 'f'), 'x');
    expect(await joinErrorOf(() => host.apply(file('/f/x', 'x'), SIGNAL))).toMatchObject({ code: 'E_FILE' });
    expect(await readdir(root)).toEqual(['f']);
    expect(await host.read({ kind: 'file', path: '/f/x' }, SIGNAL)).toBeUndefined();
  });

  test('a file of 4 MiB is read, and a larger one is refused', async () => {
    const { root, host } = await rootedMachine();
    await writeFile(join(root, 'big'), '');
    await truncate(join(root, 'big'), 4 << 20);
    expect((await host.read<'file'>({ kind: 'file', path: '/big' }, SIGNAL))?.length).toBe(4 << 20);
    await truncate(join(root, 'big'), (4 << 20) + 1);
    const error = await joinErrorOf(() => host.read({ kind: 'file', path: '/big' }, SIGNAL));
    expect([error.code, error.message]).toEqual(['E_FILE', '/big: is larger than 4194304 bytes']);
  });

  test('a missing file reads as undefined, and a directory is not a file', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'd'));
    await writeFile(join(root, 'd/b'), '');
    await writeFile(join(root, 'd/a'), '');
    expect(await host.read({ kind: 'file', path: '/nothing' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'stat', path: '/nothing/below' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'list', path: '/nothing' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'list', path: '/d' }, SIGNAL)).toEqual(['a', 'b']);
    expect(await host.read({ kind: 'stat', path: '/d/' }, SIGNAL)).toMatchObject({ kind: 'directory', mode: 0o755 });
    expect(await host.read({ kind: 'stat', path: '/' }, SIGNAL)).toMatchObject({ kind: 'directory' });
    const error = await joinErrorOf(() => host.read({ kind: 'file', path: '/d' }, SIGNAL));
    expect([error.code, error.message]).toEqual(['E_FILE', '/d: is not a file']);
  });

  test('removing nothing is not a change, and a directory is only removed if it is empty', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'empty'));
    await mkdir(join(root, 'full/x'), { recursive: true });
    await writeFile(join(root, 'f'), '');
    for (const path of ['/f', '/f', '/empty', '/full']) await host.apply({ kind: 'remove', path }, SIGNAL);
    expect(await readdir(root)).toEqual(['full']);
  });
});
