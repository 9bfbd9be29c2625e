/** A file that decides what runs as root is believed only if no one else can change it, by whatever means. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as disk from 'node:fs/promises';
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTrusted, trustedPath } from '../../engine/host/trusted.ts';
import { requireTrusted } from '../../engine/host/trusted-state.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { scratch } from '../helpers/machine.ts';

const OTHER_USER = 12_345;
const asRoot = test.skipIf(process.getuid?.() !== 0);
const noAcl = spawnSync('setfacl', ['--version']).status !== 0;
const acl = (...args: string[]) => execFileSync('setfacl', args);

/** A file in two folders that are the caller's alone. */
async function file() {
  const folder = join(await scratch(), 'folder');
  await mkdir(folder, { mode: 0o755 });
  const path = join(folder, 'pipeline.yaml');
  await writeFile(path, 'text', { mode: 0o644 });
  return { folder, path };
}

/** By both rules: that for documents and plugins, and that for Joinery's own records. */
async function refused(path: string, at: string) {
  expect(await joinErrorOf(() => trustedPath(path))).toMatchObject({ code: 'E_FILE_UNTRUSTED', facts: { file: at } });
  expect(await joinErrorOf(() => requireTrusted(disk, path))).toMatchObject({
    code: 'E_STATE_UNTRUSTED',
    facts: { path: at },
  });
}

async function accepted(path: string) {
  expect(readTrusted(path)).toBe('text');
  await requireTrusted(disk, path);
}

/** All modes of a file that let anyone but its owner write. */
const OPEN_MODES = ['620', '602', '622', '660', '664', '666', '775', '777', '2770', '4722'];

describe('a file', () => {
  test.each(OPEN_MODES)('a file is not trusted with mode %s', async (mode) => {
    const { path } = await file();
    await chmod(path, Number.parseInt(mode, 8));
    await refused(path, path);
  });

  test.each(['600', '644', '444', '755', '4755'])('a file is trusted with mode %s', async (mode) => {
    const { path } = await file();
    await chmod(path, Number.parseInt(mode, 8));
    await accepted(path);
  });

  test.each(OPEN_MODES)('a file is not trusted in a directory with mode %s', async (mode) => {
    const { path, folder } = await file();
    await chmod(folder, Number.parseInt(mode, 8) | 0o100);
    await refused(path, folder);
  });

  test('a file is trusted in a directory with the sticky bit, which is not trusted itself', async () => {
    const { path, folder } = await file();
    await chmod(folder, 0o1777);
    await accepted(path);
    await refused(folder, folder);
    const link = join(dirname(folder), 'link');
    await symlink('folder', link);
    await refused(link, folder);
  });

  asRoot('is not believed in a directory with the sticky bit that belongs to another user', async () => {
    const { path, folder } = await file();
    await chmod(folder, 0o1755);
    await chown(folder, OTHER_USER, 0);
    await refused(path, folder);
  });

  describe.skipIf(noAcl)('with an ACL', () => {
    test.each([`u:${OTHER_USER}:rw`, `u:${OTHER_USER}:w`, `g:${OTHER_USER}:rw`, 'g::rw'])(
      'a file with an ACL is not trusted if it has the entry %s',
      async (entry) => {
        const { path, folder } = await file();
        acl('-m', entry, path);
        await refused(path, path);
        acl('-b', path);
        await chmod(path, 0o644);
        acl('-m', entry.replace('rw', 'rwx'), folder);
        await refused(path, folder);
      },
    );

    test('a file with an ACL is trusted if the ACL, or its mask, only lets others read', async () => {
      const { path } = await file();
      acl('-m', `u:${OTHER_USER}:r`, path);
      await accepted(path);
      acl('-m', `u:${OTHER_USER}:rw,m::r`, path);
      await accepted(path);
    });

    test('a file is judged by its own ACL if the directory has a default ACL', async () => {
      const { path, folder } = await file();
      acl('-d', '-m', `u:${OTHER_USER}:rwx`, folder);
      await accepted(path);
      const inherits = join(folder, 'inherits.yaml');
      await writeFile(inherits, 'text', { mode: 0o666 });
      await refused(inherits, inherits);
      await writeFile(join(folder, 'closed.yaml'), 'text', { mode: 0o644 });
      await accepted(join(folder, 'closed.yaml'));
    });
  });
});

describe('a link on the way', () => {
  asRoot('is not believed if another user owns it, however many trusted links are around it', async () => {
    const { path, folder } = await file();
    const sticky = await scratch();
    await chmod(sticky, 0o1777);
    await symlink(path, join(sticky, 'middle'));
    await symlink(join(sticky, 'middle'), join(folder, 'first'));
    expect(readTrusted(join(folder, 'first'))).toBe('text');
    execFileSync('chown', ['-h', String(OTHER_USER), join(sticky, 'middle')]);
    await refused(join(folder, 'first'), join(sticky, 'middle'));
  });

  test('a link in a directory that others can write to is not trusted, between two that they cannot', async () => {
    const { path, folder } = await file();
    const open = await scratch();
    await symlink(path, join(open, 'middle'));
    await symlink(join(open, 'middle'), join(folder, 'first'));
    await chmod(open, 0o777);
    await refused(join(folder, 'first'), open);
  });

  test('a link on the way is followed as the kernel does: its parent is not the parent of its target', async () => {
    const { path, folder } = await file();
    const other = join(await scratch(), 'a/b');
    await mkdir(other, { recursive: true });
    await symlink(other, join(folder, 'link'));
    await writeFile(join(dirname(other), 'pipeline.yaml'), 'other', { mode: 0o644 });
    expect(trustedPath(path)).toBe(path);
    expect(readTrusted(`${folder}/link/../pipeline.yaml`)).toBe('other');
  });

  test('a link that leads to itself is an error', async () => {
    const { folder } = await file();
    await symlink('loop', join(folder, 'loop'));
    expect(() => trustedPath(join(folder, 'loop'))).toThrow('links');
  });
});
