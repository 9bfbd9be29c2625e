import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { integrityOf } from '../../../engine/plugins/integrity.ts';
import { scratch } from '../../helpers/machine.ts';
import { dependency } from './dependency.ts';
import { pluginFolder } from './folder.ts';

const write = async (folder: string, files: Record<string, string>) => {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
};

describe('the digest of a plugin', () => {
  const LOCKED = {
    manifest: { dependencies: { left: '1' } },
    files: { 'lib/a.js': 'a', 'lib/b.js': 'b', ...dependency('left') },
  };
  const digestOf = async (spoil: (folder: string) => Promise<unknown> = async () => undefined) => {
    const folder = await pluginFolder(LOCKED);
    await spoil(folder);
    return integrityOf(folder, ['left']);
  };

  test('the digest of a plugin depends neither on its place nor on the order in which files were created', async () => {
    const folder = join(await scratch(), 'elsewhere');
    await write(folder, Object.fromEntries(Object.entries(LOCKED.files).reverse()));
    await pluginFolder(LOCKED, folder);
    expect(await integrityOf(folder, ['left'])).toBe(await digestOf());
  });

  test.each<[string, (folder: string) => Promise<unknown>]>([
    ['a byte', (folder) => writeFile(join(folder, 'lib/a.js'), 'A')],
    ['a byte of a dependency', (folder) => writeFile(join(folder, 'node_modules/left/index.js'), 'x')],
    ['a file more', (folder) => writeFile(join(folder, 'lib/c.js'), '')],
    ['a file less', (folder) => rm(join(folder, 'lib/b.js'))],
    ['another name', (folder) => rename(join(folder, 'lib/b.js'), join(folder, 'lib/c.js'))],
    [
      'two contents exchanged',
      async (folder) => {
        await writeFile(join(folder, 'lib/a.js'), 'b');
        await writeFile(join(folder, 'lib/b.js'), 'a');
      },
    ],
    ['a file that can be run', (folder) => chmod(join(folder, 'lib/a.js'), 0o755)],
    [
      'a link instead of a file',
      async (folder) => {
        await rm(join(folder, 'lib/a.js'));
        await symlink('b.js', join(folder, 'lib/a.js'));
      },
    ],
    ['a hidden file', (folder) => writeFile(join(folder, 'lib/.hidden.js'), '')],
  ])('the digest of a plugin changes with %s', async (_, spoil) => {
    expect(await digestOf(spoil)).not.toBe(await digestOf());
  });

  test.each<[string, (folder: string) => Promise<unknown>]>([
    ['what is read by others', (folder) => chmod(join(folder, 'lib/a.js'), 0o600)],
    ['what is only for development', (folder) => write(folder, dependency('vitest'))],
    ['the history of its sources', (folder) => write(folder, { '.git/HEAD': 'ref: refs/heads/main' })],
    ['an empty directory', (folder) => mkdir(join(folder, 'lib/empty'))],
  ])('the digest of a plugin does not depend on %s', async (_, spoil) => {
    expect(await digestOf(spoil)).toBe(await digestOf());
  });
});
