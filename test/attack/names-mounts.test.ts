/** Mounts are found where they are, and not where their names lead to. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Mounts } from '../../engine/host/mounts.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { whyNoMounts } from '../helpers/mounting.ts';
import { machine, tree } from '../helpers/users-machine.ts';

describe.skipIf(whyNoMounts())('a mount', () => {
  test.each([
    ['a directory', 'etc/cron.d', (place: string) => mkdirSync(place)],
    ['a file', 'etc/cron.d/job', (place: string) => writeFileSync(place, '')],
  ])('a removal ends at a mount of %s of the same file system', async (_, source, make) => {
    const { root, files } = await machine();
    const place = join(root, 'home/u/own/mounted');
    make(place);
    execFileSync('mount', ['--bind', join(root, source), place]);
    const before = tree(join(root, 'etc'));
    try {
      const error = await joinErrorOf(() => files.removeTree('/home/u/own'));
      expect(error.message).toBe('/home/u/own/mounted: is a mount point: the mounted file system stays');
      expect(tree(join(root, 'etc'))).toEqual(before);
    } finally {
      execFileSync('umount', [place]);
    }
  });

  test('a mount is not unmounted if only a link on the way to another mount leads to it', async () => {
    const { root } = await machine();
    const [place, victim] = [join(root, 'home/u/own/deep/mounted'), join(root, 'data/kubernetes')];
    mkdirSync(place);
    for (const point of [place, victim]) execFileSync('mount', ['-t', 'tmpfs', 'joinery-test', point]);
    try {
      renameSync(dirname(place), join(root, 'home/u/own/aside'));
      mkdirSync(dirname(place));
      symlinkSync(victim, place);
      await new Mounts(root).unmount('/home/u/own/deep/mounted', new AbortController().signal);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(victim);
    } finally {
      for (const point of [join(root, 'home/u/own/aside/mounted'), victim]) execFileSync('umount', ['-q', point]);
    }
  });

  test('a mount is unmounted where it was found, even if a link replaces its directory meanwhile', async () => {
    const { root } = await machine();
    const [place, victim] = [join(root, 'home/u/own/deep/mounted'), join(root, 'data/mounted')];
    for (const point of [place, victim]) {
      mkdirSync(point);
      execFileSync('mount', ['-t', 'tmpfs', 'joinery-test', point]);
    }
    const exchange = `mv ${dirname(place)} ${dirname(place)}.aside; ln -s ${dirname(victim)} ${dirname(place)}`;
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    writeFileSync(join(root, 'usr/bin/umount'), `#!/bin/sh\n${exchange}\nexec /usr/bin/umount "$@"\n`, { mode: 0o755 });
    try {
      await new Mounts(root).unmount('/home/u/own/deep/mounted', new AbortController().signal);
      const mounted = readFileSync('/proc/self/mountinfo', 'utf8');
      expect([mounted.includes(victim), mounted.includes(`${dirname(place)}.aside`)]).toEqual([true, false]);
    } finally {
      for (const point of [`${dirname(place)}.aside/mounted`, victim]) spawnSync('umount', ['-q', point]);
    }
  });
});
