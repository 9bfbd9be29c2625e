import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTrusted, trustedPath } from '../../../engine/host/trusted.ts';
import { inspectPlugin } from '../../../engine/plugins/inspect.ts';
import { integrityOf } from '../../../engine/plugins/integrity.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { scratch } from '../../helpers/machine.ts';
import { dependency } from './dependency.ts';
import { type PluginSource, pluginFolder, VERSION } from './folder.ts';

const SOMEBODY = 12_345;
const asRoot = test.skipIf(process.getuid?.() !== 0);
const inspected = async (source: PluginSource = {}) => inspectPlugin(await pluginFolder(source), VERSION);

describe('the files of a plugin', () => {
  test.each<[string, (folder: string) => Promise<void>, string, string]>([
    ['a world-writable file', (folder) => chmod(join(folder, 'index.js'), 0o666), 'index.js', 'chmod go-w'],
    [
      'a world-writable directory',
      async (folder) => {
        await mkdir(join(folder, 'lib'));
        await chmod(join(folder, 'lib'), 0o777);
      },
      'lib',
      'chmod go-w',
    ],
    ['a world-writable folder', (folder) => chmod(folder, 0o777), '', 'chmod go-w'],
    ['a world-writable parent folder', (folder) => chmod(dirname(folder), 0o777), '..', 'chmod go-w'],
  ])('the files of a plugin are refused with %s', async (_, spoil, path, command) => {
    const folder = await pluginFolder();
    await spoil(folder);
    const error = await joinErrorOf(() => inspectPlugin(folder, VERSION));
    const at = path === '..' ? dirname(folder) : join(folder, path);
    expect(error).toMatchObject({
      code: 'E_FILE_UNTRUSTED',
      exitCode: 12,
      facts: { file: at, command: `${command} ${at}` },
    });
  });

  asRoot.each([
    ['a file', (folder: string) => join(folder, 'index.js')],
    ['the folder', (folder: string) => folder],
    ['a folder above', (folder: string) => dirname(folder)],
  ])('the files of a plugin are refused if another user owns %s', async (_, placeOf) => {
    const folder = await pluginFolder();
    const at = placeOf(folder);
    await chown(at, SOMEBODY, SOMEBODY);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      code: 'E_FILE_UNTRUSTED',
      facts: { file: at, why: `it belongs to user ${SOMEBODY}`, command: `chown 0 ${at}` },
    });
  });

  asRoot('may be written by no group, not even that of the owner', async () => {
    const folder = await pluginFolder();
    await chmod(join(folder, 'index.js'), 0o664);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({ code: 'E_FILE_UNTRUSTED' });
    await chown(join(folder, 'index.js'), 0, SOMEBODY);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({ code: 'E_FILE_UNTRUSTED' });
  });

  test.each([
    ['an absolute path', '/etc/passwd'],
    ['a path that goes up', '../../secret'],
    ['the folder above its own', '../..'],
  ])('a plugin is refused if its files include a link to %s', async (_, target) => {
    const folder = await pluginFolder();
    await mkdir(join(folder, 'lib'));
    await symlink(target, join(folder, 'lib/link'));
    const error = await joinErrorOf(() => inspectPlugin(folder, VERSION));
    expect(error).toMatchObject({
      code: 'E_PLUGIN_FILES',
      facts: { folder, what: `lib/link is a link that leads out of it, to ${target}` },
    });
  });

  test('the files of a plugin are files, directories and links within the plugin', async () => {
    const folder = await pluginFolder();
    await symlink('index.js', join(folder, 'main.js'));
    await expect(inspectPlugin(folder, VERSION)).resolves.toBeDefined();
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      code: 'E_PLUGIN_FILES',
      facts: { what: 'pipe is neither a file, a directory nor a link' },
    });
  });

  test('a plugin is refused if it has too many files, or files that are too large', async () => {
    const folder = await pluginFolder();
    const refused = (options: object) => joinErrorOf(() => integrityOf(folder, [], options));
    expect((await refused({ filesMax: 2 })).facts).toMatchObject({ what: 'it has more than 2 files' });
    expect((await refused({ bytesMax: 100 })).facts).toMatchObject({ what: 'it has more than 100 bytes' });
  });

  test('the files of a plugin include its dependencies', async () => {
    const manifest = { dependencies: { left: '^1.0.0' } };
    expect(await joinErrorOf(() => inspected({ manifest }))).toMatchObject({
      code: 'E_PLUGIN_FILES',
      facts: { what: 'its dependency left is not in its node_modules' },
    });
    expect(await joinErrorOf(() => inspected({ manifest, files: dependency('left', { right: '1' }) }))).toMatchObject({
      facts: { what: 'its dependency right is not in its node_modules' },
    });
    const files = { ...dependency('left', { right: '1' }), ...dependency('right', { left: '1' }) };
    expect((await inspected({ manifest, files })).integrity).toMatch(/^sha512-/);
  });

  test('a name that leads out of the folder opens no file', async () => {
    for (const name of ['../../outside', '..', '/etc'])
      expect(await joinErrorOf(() => inspected({ manifest: { dependencies: { [name]: '1' } } }))).toMatchObject({
        code: 'E_PLUGIN_FILES',
      });
  });
});

describe('a file that decides what is run', () => {
  test('a file that decides which code runs is read if the caller owns it and every directory on the way', async () => {
    const folder = await scratch();
    await writeFile(join(folder, 'p.yaml'), 'text');
    expect(readTrusted(join(folder, 'p.yaml'))).toBe('text');
    await symlink('p.yaml', join(folder, 'link.yaml'));
    expect(trustedPath(join(folder, 'link.yaml'))).toBe(join(folder, 'p.yaml'));
  });

  test('a file that decides which code runs is refused if others can change a link on the way', async () => {
    const [ours, open] = [await scratch(), await scratch()];
    await writeFile(join(ours, 'p.yaml'), 'text');
    await chmod(open, 0o777);
    await symlink(join(ours, 'p.yaml'), join(open, 'link.yaml'));
    expect(await joinErrorOf(() => readTrusted(join(open, 'link.yaml')))).toMatchObject({
      code: 'E_FILE_UNTRUSTED',
      facts: { file: open, command: `chmod go-w ${open}` },
    });
    await chmod(open, 0o1777); // as /tmp
    expect(readTrusted(join(open, 'link.yaml'))).toBe('text');
  });
});
