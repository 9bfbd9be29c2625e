/** What a file is beside its content, mode and owner: its ACL, label, attributes, times and other names come back. */
import { execFileSync } from 'node:child_process';
import { link, lstat, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Disk, realDisk } from '../../engine/host/disk.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import { realHost } from '../../engine/host/real.ts';
import { RunFolder } from '../../engine/journal/run-folder.ts';
import { kubeAccess } from '../../engine/kube/access.ts';
import { type Ports, writes } from '../../engine/sdk/index.ts';
import { journaled, START, takenBack } from '../helpers/journaled.ts';
import { scratch } from '../helpers/machine.ts';
import { whyNoMounts } from '../helpers/mounting.ts';

const PATH = '/etc/app.conf';
const LONG_AGO = new Date('2001-09-09T01:46:40Z');
const isRoot = process.getuid?.() === 0;
const ATTRIBUTES = [...['user.note=x', ...(isRoot ? ['security.selinux=system_u:object_r:etc_t:s0'] : [])]].map(
  (item) => item.split('=') as [string, string],
);

const getfattr = (file: string) => execFileSync('getfattr', ['-dm-', '-e', 'hex', '--absolute-names', file]).toString();
const attributesOf = (file: string) =>
  getfattr(file)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .sort();

/** A machine with a file that has all that a plain copy loses. `disk` may lack hard links, as across file systems. */
async function machine(disk: Disk = realDisk) {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  await mkdir(join(root, 'var/lib'), { recursive: true });
  const file = join(root, PATH);
  await writeFile(file, 'old\n', { mode: 0o640 });
  for (const [name, value] of ATTRIBUTES) execFileSync('setfattr', ['-n', name, '-v', value, file]);
  execFileSync('setfacl', ['-m', 'u:1000:r', file]);
  await link(file, join(root, 'etc/other'));
  await utimes(file, LONG_AGO, LONG_AGO);
  const host = await realHost(root, { access: kubeAccess });
  const store = new RunFolder(new MachineFiles(root, disk), START.id);
  const { journal, ports } = journaled(host, [writes('/etc/*', undefined, 'x')], store);
  const look = async () => {
    const { mtime, nlink, ino, mode } = await lstat(file);
    return { attributes: attributesOf(file), mtime, nlink, ino, mode, content: await readFile(file, 'utf8') };
  };
  const undo = async () => {
    expect(await takenBack(journal, host, true)).toEqual([]);
    await journal.finished({ status: 'undone' });
  };
  return { root, file, files: ports.files, look, undo };
}

const withoutLinks = { ...realDisk, link: async () => Promise.reject(Object.assign(new Error(), { code: 'EXDEV' })) };

describe('an undo restores a file as it was', () => {
  test.each(['replaced', 'removed'])(
    'an undo restores a file with attributes, times and hard links if it was %s',
    async (how) => {
      const { files, look, undo } = await machine();
      const before = await look();
      expect(before.attributes.length).toBe(ATTRIBUTES.length + 1);
      if (how === 'removed') await files.remove(PATH);
      else await files.write(PATH, 'new\n', 0o600);
      await undo();
      expect(await look()).toEqual(before);
    },
  );

  test('an undo restores a file with attributes and times if the journal is on another file system', async () => {
    const { files, look, undo } = await machine(withoutLinks);
    const { ino: _, nlink, ...before } = await look();
    await files.write(PATH, 'new\n', 0o600);
    await undo();
    expect(nlink).toBe(2);
    expect(await look()).toMatchObject(before);
  });

  test('an undo restores a file with its content, mode and owner if the file itself cannot be kept', async () => {
    const rename: Disk['rename'] = async (from, to) => {
      if (String(to).endsWith('.original')) throw new Error('it cannot be kept');
      await realDisk.rename(from, to);
    };
    const { files, look, undo } = await machine({ ...withoutLinks, rename });
    const { mode, content } = await look();
    await files.write(PATH, 'new\n', 0o600);
    await undo();
    expect(await look()).toMatchObject({ mode, content });
  });

  test('an undo restores the content of a file that was changed by another name of it during the run', async () => {
    const { root, file, files, undo } = await machine();
    await files.write(PATH, 'new\n', 0o600);
    await writeFile(join(root, 'etc/other'), 'changed by its other name\n');
    await undo();
    expect(await readFile(file, 'utf8')).toBe('old\n');
    expect((await lstat(file)).mode & 0o777).toBe(0o640);
  });
});

describe('a file that a phase replaces', () => {
  test('a file that a phase replaces keeps its ACL, label and attributes, as in an editor', async () => {
    const { files, look } = await machine();
    const before = await look();
    await files.write(PATH, 'new\n', 0o640);
    const { attributes, content } = await look();
    expect(attributes).toEqual(before.attributes);
    expect(content).toBe('new\n');
  });

  test('a replaced file is never readable for more users than its new mode allows, whatever its ACL was', async () => {
    const { file, files } = await machine();
    await files.write(PATH, 'secret\n', 0o600);
    expect((await lstat(file)).mode & 0o777).toBe(0o600);
    expect(execFileSync('getfacl', ['-c', '-E', file]).toString()).toContain('mask::---');
  });

  test('replacing a file never puts old content into the new file, nor new content into the old file', async () => {
    const { root, file, files } = await machine();
    await files.write(PATH, 'new\n', 0o640);
    expect(await readFile(join(root, 'etc/other'), 'utf8')).toBe('old\n');
    expect((await lstat(file)).nlink).toBe(1);
  });
});

describe('what an undo cannot restore', () => {
  const KINDS: [string, (path: string) => unknown][] = [
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
    ['a socket', (path) => createServer().listen(path).unref()],
    ['a directory', (path) => mkdir(path)],
    ['a file', (path) => writeFile(path, '')],
  ];
  const CHANGES: [string, string[], (ports: Ports) => Promise<void>][] = [
    ['replaced by a file', ['a pipe', 'a socket', 'a directory'], ({ files }) => files.write(PATH, 'x', 0o644)],
    ['replaced by a link', ['a pipe', 'a socket', 'a directory', 'a file'], ({ files }) => files.link(PATH, 'other')],
    ['used as a directory', ['a pipe', 'a socket', 'a file'], ({ files }) => files.directory(PATH, 0o755)],
    ['removed', ['a pipe', 'a socket'], ({ files }) => files.remove(PATH)],
  ];
  const cases = CHANGES.flatMap(([how, kinds, act]) => kinds.map((kind) => [kind, how, act] as const));

  test.each(cases)(
    'what an undo cannot restore is refused before anything is recorded: %s that would be %s',
    async (kind, how, act) => {
      const root = await scratch();
      await mkdir(join(root, 'etc'));
      await KINDS.find(([name]) => name === kind)?.[1](join(root, PATH));
      await vi.waitFor(() => lstat(join(root, PATH)));
      const { mode } = await lstat(join(root, PATH));
      const { ports, journal } = journaled(await realHost(root, { access: kubeAccess }), [
        writes('/etc/*', 0o644, 'x'),
      ]);
      await expect(act(ports)).rejects.toMatchObject({
        code: 'E_FILE',
        message: expect.stringContaining(`${PATH}: is `),
      });
      if (how === 'replaced by a file')
        await expect(act(ports)).rejects.toThrow(kind === 'a pipe' ? 'a pipe or a device' : kind);
      expect(journal.history().changes).toEqual([]);
      expect((await lstat(join(root, PATH))).mode).toBe(mode);
    },
  );

  test.skipIf(whyNoMounts())('a plan names hard links as lost if the journal is on another file system', async () => {
    const { root } = await machine();
    await mkdir(join(root, 'var/lib/joinery'), { recursive: true });
    const host = await realHost(root, { access: kubeAccess });
    const unrestored = () => host.read<'unrestored'>({ kind: 'unrestored', path: PATH }, new AbortController().signal);
    expect(await unrestored()).toBeUndefined();
    execFileSync('mount', ['-t', 'tmpfs', 'joinery-test', join(root, 'var/lib/joinery')]);
    onTestFinished(() => void execFileSync('umount', [join(root, 'var/lib/joinery')]));
    expect(await unrestored()).toBe('its hard links, and what the file system of /var/lib/joinery does not support');
  });
});
