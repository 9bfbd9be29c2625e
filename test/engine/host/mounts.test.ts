import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Mounts, mountPoints } from '../../../engine/host/mounts.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { rootedMachine, scratch } from '../../helpers/machine.ts';
import { whyNoMounts } from '../../helpers/mounting.ts';

const SIGNAL = new AbortController().signal;
const quietly = (command: string, ...args: string[]): void => {
  execFileSync(command, args, { stdio: 'ignore' });
};

const reason = whyNoMounts();
if (reason) console.warn(`the tests that mount something are skipped: ${reason}`);

describe('the table of mounts', () => {
  test('the mount table names the mount points in the order in which they were mounted', () => {
    const table = [
      '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
      '30 22 0:25 / /var/lib/kubelet rw - tmpfs tmpfs rw,size=1024k',
      '31 30 0:26 / /var/lib/kubelet/pods/1/volumes/a rw master:1 propagate_from:2 - tmpfs tmpfs rw',
      '32 30 0:27 / /var/lib/kubelet rw unbindable - tmpfs tmpfs rw',
      '',
    ].join('\n');
    expect(mountPoints(table)).toEqual([
      '/',
      '/var/lib/kubelet',
      '/var/lib/kubelet/pods/1/volumes/a',
      '/var/lib/kubelet',
    ]);
    expect(mountPoints('')).toEqual([]);
  });

  test.each([
    ['\\040', ' '],
    ['\\011', '\t'],
    ['\\012', '\n'],
    ['\\134', '\\'],
    ['\\043', '#'],
    ['\\134040', '\\040'],
    ['ü\\040ü', 'ü ü'],
  ])('the mount table escapes special characters: %j', (written, meant) => {
    expect(mountPoints(`30 22 0:25 / /a${written}b rw - tmpfs tmpfs rw`)).toEqual([`/a${meant}b`]);
  });
});

describe.skipIf(process.platform !== 'linux')('the mounts of this machine', () => {
  test('mounts below a path do not include the one at the path', async () => {
    const mounts = new Mounts('/');
    expect(await mounts.below('/')).toContain('/proc');
    expect(await mounts.below('/proc')).not.toContain('/proc');
    expect(await mounts.below('/proc/self')).toEqual([]);
    expect(await mounts.below('/no/such/path')).toEqual([]);
  });
});

describe.skipIf(reason)('what is mounted', () => {
  /** Mounts a file system of its own there; or shows `source` there as well. */
  const mount = async (place: string, source?: string): Promise<void> => {
    await mkdir(place, { recursive: true });
    quietly('mount', ...(source === undefined ? ['-t', 'tmpfs', 'joinery-test'] : ['--bind', source]), place);
    onTestFinished(() => {
      try {
        quietly('umount', '-l', place);
      } catch {
        // the test has done it
      }
    });
  };
  const unmountAll = async (mounts: Mounts, points: readonly string[]): Promise<void> => {
    for (const point of points) await mounts.unmount(point, SIGNAL);
  };

  test('mounts below a path are listed with the last one first', async () => {
    const dir = await scratch();
    const kubelet = join(dir, 'kubelet');
    const wanted = ['pods/1/volumes/a', 'pods/1/volumes/a/b', 'plugins'].map((name) => join(kubelet, name));
    for (const place of [...wanted, `${kubelet}2`, `${kubelet}2/pods`]) await mount(place);
    const mounts = new Mounts('/');
    expect(await mounts.below(kubelet)).toEqual(wanted.toReversed());
    expect(await mounts.below(`${kubelet}/`)).toEqual(wanted.toReversed());
    expect(await mounts.below(join(kubelet, 'pods/1/volumes/a'))).toEqual([wanted[1]]);
    await unmountAll(mounts, wanted.toReversed());
    expect(await mounts.below(dir)).toEqual([`${kubelet}2/pods`, `${kubelet}2`]);
  });

  test('mounts are found through links anywhere in the path', async () => {
    const dir = await scratch();
    await mount(join(dir, 'data/kubelet/pods/1'));
    await mkdir(join(dir, 'var'));
    await symlink('../data', join(dir, 'var/lib'));
    await symlink(join(dir, 'var/lib/kubelet'), join(dir, 'short'));
    for (const path of ['var/lib/kubelet', 'short', 'short/pods', 'var/lib'])
      expect(await new Mounts('/').below(join(dir, path)), path).toEqual([join(dir, 'data/kubelet/pods/1')]);
  });

  test.each(['with space', 'back\\slash', 'tab\there', 'line\nhere', 'hash#', 'ümläut', '\\040'])(
    'a mount is found and unmounted under any name: %j',
    async (name) => {
      const dir = await scratch();
      await mount(join(dir, name));
      const mounts = new Mounts('/');
      const points = await mounts.below(dir);
      expect(points).toEqual([join(dir, name)]);
      await unmountAll(mounts, points);
      expect(await mounts.below(dir)).toEqual([]);
    },
  );

  test('all mounts can be unmounted in the listed order, also those over other mounts', async () => {
    const dir = await scratch();
    const [outer, inner, innermost] = [join(dir, 'a'), join(dir, 'a/b'), join(dir, 'a/b/c')];
    await mount(outer);
    await mount(inner);
    await mount(innermost);
    await mount(outer); // hides both others
    await writeFile(join(outer, 'over'), '');
    await mount(join(dir, 'z'), outer);
    const mounts = new Mounts('/');
    const points = await mounts.below(dir);
    expect(points).toEqual([join(dir, 'z'), outer, innermost, inner, outer]);
    for (const [index, point] of points.entries()) {
      await mounts.unmount(point, SIGNAL);
      expect(await mounts.below(dir)).toEqual(points.slice(index + 1));
    }
  });

  test('unmounting a path that is no longer mounted is not an error', async () => {
    const dir = await scratch();
    await mount(join(dir, 'a'));
    const mounts = new Mounts('/');
    for (const point of ['a', 'a', 'never', 'b/c']) await mounts.unmount(join(dir, point), SIGNAL);
    expect(await mounts.below(dir)).toEqual([]);
  });

  test('a busy mount is unmounted lazily', async () => {
    const dir = await scratch();
    const place = join(dir, 'a');
    await mount(place);
    const user = spawn('sleep', ['60'], { cwd: place });
    await once(user, 'spawn');
    const mounts = new Mounts('/');
    await mounts.unmount(place, SIGNAL);
    expect(await mounts.below(dir)).toEqual([]);
    expect(user.exitCode).toBeNull();
    user.kill('SIGKILL');
    await once(user, 'exit');
  });

  describe('on a machine below a root', () => {
    const SAYS = (words: string) => `echo "$*" >>"$JOINERY_ROOT/asked"; echo "umount: ${words}" >&2; exit 32`;

    test('mounts below a root have the paths of that machine, over its own links', async () => {
      const { root } = await rootedMachine({
        umount: 'exec /usr/bin/env PATH=/bin:/sbin:/usr/bin:/usr/sbin umount "$@"',
      });
      await mount(join(root, 'data/kubelet/pods/1'));
      await mkdir(join(root, 'var/lib'), { recursive: true });
      await symlink('/data/kubelet', join(root, 'var/lib/kubelet'));
      const linked = join(await scratch(), 'machine');
      await symlink(root, linked);
      for (const place of [root, linked]) {
        expect(await new Mounts(place).below('/var/lib/kubelet')).toEqual(['/data/kubelet/pods/1']);
        expect(await new Mounts(place).below('/')).toEqual(['/data/kubelet/pods/1']);
      }
      const mounts = new Mounts(linked);
      await mounts.unmount('/data/kubelet/pods/1', SIGNAL);
      expect(await mounts.below('/')).toEqual([]);
    });

    test('a mount stays if unmounting fails for another reason, and the error says why', async () => {
      const { root } = await rootedMachine({ umount: SAYS('must be superuser\u001b[31m to unmount.') });
      await mount(join(root, 'a'));
      const error = await joinErrorOf(() => new Mounts(root).unmount('/a', SIGNAL));
      expect(error).toMatchObject({
        code: 'E_COMMAND_FAILED',
        facts: { exitCode: 32, output: 'umount: must be superuser [31m to unmount.' },
      });
      expect(await readFile(join(root, 'asked'), 'utf8')).toBe('-c ./a\n');
    });

    test('a mount is unmounted by busybox, too, which knows fewer options', async () => {
      const umount = `case "$*" in *-c*) echo "umount: invalid option -- 'c'" >&2; exit 1; esac; exec /usr/bin/umount "$@"`;
      const { root } = await rootedMachine({ umount });
      await mount(join(root, 'a'));
      const mounts = new Mounts(root);
      await mounts.unmount('/a', SIGNAL);
      expect(await mounts.below('/')).toEqual([]);
    });

    test('a busy mount is unmounted with options that busybox also knows', async () => {
      const { root } = await rootedMachine({ umount: SAYS("can't unmount: Device or resource busy") });
      await mount(join(root, 'a'));
      const linked = join(await scratch(), 'machine');
      await symlink(root, linked);
      const error = await joinErrorOf(() => new Mounts(linked).unmount('/a', SIGNAL));
      expect(error.code).toBe('E_COMMAND_FAILED');
      expect(await readFile(join(root, 'asked'), 'utf8')).toBe('-c ./a\n-l -c ./a\n');
    });
  });
});
