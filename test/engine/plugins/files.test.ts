import { chmod, chown, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTrusted, trustedPath } from '../../../engine/host/trusted.ts';
import { inspectPlugin } from '../../../engine/plugins/inspect.ts';
import { integrityOf } from '../../../engine/plugins/integrity.ts';
import { isInRange } from '../../../engine/plugins/manifest.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { scratch } from '../../helpers/machine.ts';
import { type PluginSource, pluginFolder, VERSION } from './folder.ts';

const OTHER_USER = 12_345;
const named = { name: 'acme', version: '1.0.0' };
const joinery = { engine: '^0.1.0', phases: [] };
const asRoot = test.skipIf(process.getuid?.() !== 0);
const inspected = async (made: PluginSource = {}) => inspectPlugin(await pluginFolder(made), VERSION);
const write = async (folder: string, files: Record<string, string>) => {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
};
const dependency = (name: string, dependencies = {}) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', dependencies }),
  [`node_modules/${name}/index.js`]: `export default '${name}';`,
});

describe('the manifest of a plugin', () => {
  test.each<[string, object | string, string[]]>([
    ['no JSON', '{', [expect.stringMatching(/^it is not JSON: Expected property name/)]],
    ['no object', '[]', ['must be an object']],
    ['that of any package', { name: 'acme', version: '1.0.0' }, ['joinery is missing']],
    ['empty', {}, ['name is missing', 'version is missing', 'joinery is missing']],
    ['of a 1 MiB', { name: 'acme', description: 'x'.repeat(1 << 20) }, ['it is larger than 262144 bytes']],
    [
      'nested 50,000 deep',
      `{"name":"acme","version":"1.0.0","joinery":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      ['joinery must be an object'],
    ],
    [
      'with an unknown key',
      { ...named, joinery: { ...joinery, phase: 'acme' } },
      ['joinery unknown key phase; did you mean phases?'],
    ],
    [
      'with __proto__',
      `{"name":"acme","version":"1.0.0","joinery":{"engine":"^0.1.0","phases":[],"__proto__":{"phases":[]}}}`,
      ['joinery unknown key __proto__'],
    ],
    ['with escape sequences', { ...named, joinery: { ...joinery, '\u001b[2J': 1 } }, ['joinery unknown key  [2J']],
    [
      'with an unknown range',
      { ...named, joinery: { ...joinery, engine: '*' } },
      [
        'joinery.engine has the wrong form "*": it must be a range of versions: ^0.1.0, ~0.1.2, >=0.1.0 <0.3.0 or 0.1.0',
      ],
    ],
    [
      'with a module outside',
      { ...named, joinery: { ...joinery, main: '../index.js' } },
      ['joinery.main has the wrong form "../index.js": it must be the path of a file in it: index.js'],
    ],
    [
      'with an absolute module',
      { ...named, joinery: { ...joinery, main: '/index.js' } },
      ['joinery.main has the wrong form "/index.js": it must be the path of a file in it: index.js'],
    ],
    ...['etc/x', '/etc/../shadow', '/etc//x', '/etc/{name}', '/**/x', '/'].map((path): [string, object, string[]] => [
      `with the path ${path}`,
      { ...named, joinery: { ...joinery, effects: { paths: [path] } } },
      [
        `joinery.effects.paths.0 has the wrong form "${path}": it must be an absolute path without . and .., with ** only at its end`,
      ],
    ]),
    [
      'with an unknown verb',
      { ...named, joinery: { ...joinery, effects: { api: [{ verbs: ['delete'], resource: 'nodes' }] } } },
      ['joinery.effects.api.0.verbs.0 must be one of get, list, watch, create, patch'],
    ],
  ])('the manifest of a plugin is refused if it is %s, with all its problems', async (_, content, problems) => {
    const folder = await pluginFolder();
    await writeFile(join(folder, 'package.json'), typeof content === 'string' ? content : JSON.stringify(content));
    const error = await joinErrorOf(() => inspectPlugin(folder, VERSION));
    expect(error).toMatchObject({ code: 'E_PLUGIN_MANIFEST', exitCode: 3 });
    expect(error.facts).toEqual({ file: join(folder, 'package.json'), problems });
  });

  test('a folder without a manifest is not a plugin', async () => {
    const folder = await scratch();
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      ...{ code: 'E_PLUGIN_FILES', message: `cannot use ${folder} as a plugin: ${folder}/package.json: ENOENT` },
    });
    expect(await joinErrorOf(() => inspectPlugin(join(folder, 'gone'), VERSION))).toMatchObject({
      ...{ code: 'E_PLUGIN_FILES', message: `cannot use ${folder}/gone as a plugin: ${folder}/gone: ENOENT` },
    });
  });

  test('the manifest of a plugin has defaults for every part that it omits', async () => {
    const { manifest } = await inspected({ joinery: { effects: {} } });
    expect(manifest).toEqual({
      ...{ name: 'acme', version: '1.0.0', engine: '^0.1.0', main: 'index.js', phases: ['acme'], dependencies: [] },
      ...{ featureGates: [], environments: {}, pipelines: {} },
      effects: { paths: [], services: [], commands: [], api: [], network: [], mounts: [], runtime: false },
    });
  });

  test.each([
    ...['^0.1.0', '~0.1.0', '0.1.3', '>=0.1.0', '>=0.1.0 <0.2.0', '<1.0.0', '^0.1.3'].map(
      (range) => [range, true] as const,
    ),
    ...['^0.2.0', '~0.0.9', '0.1.2', '<0.1.3', '>=0.2.0', '^1.0.0', '^0.1.4', '>=0.1.0 <0.1.2'].map(
      (range) => [range, false] as const,
    ),
  ])('the range %s contains the version 0.1.3: %s', (range, isIn) => {
    expect(isInRange('0.1.3', range)).toBe(isIn);
  });

  test.each([
    ['^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4', '0.1.0']],
    ['~1.2.3', ['1.2.9'], ['1.3.0']],
    ['>=1.2.3', ['1.10.0', '2.0.0', '1.2.3-rc.1'], ['1.2.2']],
  ])('the range %s means what it means for npm', (range, inside, outside) => {
    expect(inside.filter((version) => !isInRange(version, range))).toEqual([]);
    expect(outside.filter((version) => isInRange(version, range))).toEqual([]);
  });

  test('a plugin for another version of Joinery is refused', async () => {
    expect(await joinErrorOf(() => inspected({ joinery: { engine: '^9.0.0' } }))).toMatchObject({
      ...{ code: 'E_PLUGIN_ENGINE', message: 'plugin acme requires Joinery ^9.0.0; this is 0.1.0', exitCode: 3 },
    });
  });
});

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
    ['a world-writable folder above', (folder) => chmod(dirname(folder), 0o777), '..', 'chmod go-w'],
  ])('a plugin is refused with %s', async (_, spoil, path, command) => {
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
  ])('a plugin is refused if another user owns %s', async (_, placeOf) => {
    const folder = await pluginFolder();
    const at = placeOf(folder);
    await chown(at, OTHER_USER, OTHER_USER);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      ...{
        code: 'E_FILE_UNTRUSTED',
        facts: { file: at, why: `it belongs to user ${OTHER_USER}`, command: `chown 0 ${at}` },
      },
    });
  });

  asRoot('a plugin may be writable by a group without other members, and by no other group', async () => {
    const folder = await pluginFolder();
    await chmod(join(folder, 'index.js'), 0o664);
    await expect(inspectPlugin(folder, VERSION)).resolves.toBeDefined(); // group 0 of user 0
    await chown(join(folder, 'index.js'), 0, OTHER_USER);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({ code: 'E_FILE_UNTRUSTED' });
  });

  test.each([
    ['an absolute path', '/etc/passwd'],
    ['a path that goes up', '../../secret'],
    ['the folder above its own', '../..'],
  ])('a plugin is refused with a link to %s', async (_, target) => {
    const folder = await pluginFolder();
    await mkdir(join(folder, 'lib'));
    await symlink(target, join(folder, 'lib/link'));
    const error = await joinErrorOf(() => inspectPlugin(folder, VERSION));
    expect(error).toMatchObject({
      ...{ code: 'E_PLUGIN_FILES', facts: { folder, what: `lib/link is a link that leads out of it, to ${target}` } },
    });
  });

  test('a plugin consists of files, directories and links within its folder', async () => {
    const folder = await pluginFolder();
    await symlink('index.js', join(folder, 'main.js'));
    await expect(inspectPlugin(folder, VERSION)).resolves.toBeDefined();
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      ...{ code: 'E_PLUGIN_FILES', facts: { what: 'pipe is neither a file, a directory nor a link' } },
    });
  });

  test('a plugin is refused if it has too many files or bytes', async () => {
    const folder = await pluginFolder();
    const refused = (options: object) => joinErrorOf(() => integrityOf(folder, [], options));
    expect((await refused({ filesMax: 2 })).facts).toMatchObject({ what: 'it has more than 2 files' });
    expect((await refused({ bytesMax: 100 })).facts).toMatchObject({ what: 'it has more than 100 bytes' });
  });

  test('a plugin contains its dependencies', async () => {
    const manifest = { dependencies: { left: '^1.0.0' } };
    expect(await joinErrorOf(() => inspected({ manifest }))).toMatchObject({
      ...{ code: 'E_PLUGIN_FILES', facts: { what: 'its dependency left is not in its node_modules' } },
    });
    expect(await joinErrorOf(() => inspected({ manifest, files: dependency('left', { right: '1' }) }))).toMatchObject({
      facts: { what: 'its dependency right is not in its node_modules' },
    });
    const files = { ...dependency('left', { right: '1' }), ...dependency('right', { left: '1' }) };
    expect((await inspected({ manifest, files })).integrity).toMatch(/^sha512-/);
  });

  test('a plugin is refused if the name of a dependency leads out of its folder', async () => {
    for (const name of ['../../outside', '..', '/etc'])
      expect(await joinErrorOf(() => inspected({ manifest: { dependencies: { [name]: '1' } } }))).toMatchObject({
        code: 'E_PLUGIN_FILES',
      });
  });
});

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

  test('the digest of a plugin depends neither on its folder nor on the order of its files', async () => {
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
    ['read permissions', (folder) => chmod(join(folder, 'lib/a.js'), 0o600)],
    ['development dependencies', (folder) => write(folder, dependency('vitest'))],
    ['the history of its sources', (folder) => write(folder, { '.git/HEAD': 'ref: refs/heads/main' })],
    ['an empty directory', (folder) => mkdir(join(folder, 'lib/empty'))],
  ])('the digest of a plugin does not depend on %s', async (_, spoil) => {
    expect(await digestOf(spoil)).toBe(await digestOf());
  });
});

describe('a file that decides what is run', () => {
  test('a trusted file is read if its owner and every directory above it are trusted', async () => {
    const folder = await scratch();
    await writeFile(join(folder, 'p.yaml'), 'text');
    expect(readTrusted(join(folder, 'p.yaml'))).toBe('text');
    await symlink('p.yaml', join(folder, 'link.yaml'));
    expect(trustedPath(join(folder, 'link.yaml'))).toBe(join(folder, 'p.yaml'));
  });

  test('a trusted file is refused if others can change a link on its path', async () => {
    const [ours, open] = [await scratch(), await scratch()];
    await writeFile(join(ours, 'p.yaml'), 'text');
    await chmod(open, 0o777);
    await symlink(join(ours, 'p.yaml'), join(open, 'link.yaml'));
    expect(await joinErrorOf(() => readTrusted(join(open, 'link.yaml')))).toMatchObject({
      ...{ code: 'E_FILE_UNTRUSTED', facts: { file: open, command: `chmod go-w ${open}` } },
    });
    await chmod(open, 0o1777); // as /tmp
    expect(readTrusted(join(open, 'link.yaml'))).toBe('text');
  });
});
