/** Nothing of a plugin is believed because of its place: the digest covers what its links lead to, wherever that is. */
import { chmod, chown, lchown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findingsOf } from '../../engine/plugins/findings.ts';
import { inspectPlugin } from '../../engine/plugins/inspect.ts';
import { integrityOf } from '../../engine/plugins/integrity.ts';
import { pluginFolder, VERSION } from '../engine/plugins/folder.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { scratch } from '../helpers/machine.ts';

const OTHER_USER = 12_345;
const asRoot = test.skipIf(process.getuid?.() !== 0);

/** Packages in a store of pnpm, each with its needs as links beside it. Returns where a package is. */
async function store(modules: string, packages: Record<string, readonly string[]>) {
  const place = (name: string) => join(modules, '.pnpm', `${name}@1.0.0`, 'node_modules', name);
  for (const [name, needs] of Object.entries(packages)) {
    await mkdir(place(name), { recursive: true });
    const dependencies = Object.fromEntries(needs.map((need) => [need, '1.0.0']));
    await writeFile(join(place(name), 'package.json'), JSON.stringify({ name, version: '1.0.0', dependencies }));
    await writeFile(join(place(name), 'index.js'), `export default '${name}';`);
    for (const need of needs)
      await symlink(`../../${need}@1.0.0/node_modules/${need}`, join(dirname(place(name)), need));
  }
  return place;
}

const PACKAGES = { left: ['right'], right: ['left'], unrelated: [] };
const MANIFEST = { dependencies: { left: '1.0.0' } };

/** Where pnpm puts the packages of a plugin, and the plugin itself. */
const LAYOUTS: Record<string, () => Promise<{ folder: string; modules: string }>> = {
  'its own node_modules': async () => {
    const folder = await pluginFolder({ manifest: MANIFEST });
    await mkdir(join(folder, 'node_modules'));
    await symlink('.pnpm/left@1.0.0/node_modules/left', join(folder, 'node_modules/left'));
    return { folder, modules: join(folder, 'node_modules') };
  },
  'the workspace above it': async () => {
    const workspace = await scratch();
    const folder = await pluginFolder({ manifest: MANIFEST }, join(workspace, 'plugins/acme'));
    await mkdir(join(folder, 'node_modules'));
    const target = '../../../node_modules/.pnpm/left@1.0.0/node_modules/left';
    await symlink(target, join(folder, 'node_modules/left'));
    return { folder, modules: join(workspace, 'node_modules') };
  },
  'the store that it is in itself': async () => {
    const modules = join(await scratch(), 'node_modules');
    const folder = join(modules, '.pnpm/acme@1.0.0/node_modules/acme');
    await pluginFolder({ manifest: MANIFEST }, folder);
    await symlink('../../left@1.0.0/node_modules/left', join(dirname(folder), 'left'));
    return { folder, modules };
  },
};

describe.each(Object.entries(LAYOUTS))('a plugin whose packages pnpm has put into %s', (_, layout) => {
  const installed = async () => {
    const { folder, modules } = await layout();
    const place = await store(modules, PACKAGES);
    return { place, digest: () => integrityOf(folder, ['left']) };
  };

  test.each(['left', 'right'])('a pnpm plugin has another digest if the code of %s changes', async (name) => {
    const { place, digest } = await installed();
    const before = await digest();
    expect(await digest()).toBe(before);
    await writeFile(join(place(name), 'index.js'), 'export default "evil";');
    expect(await digest()).not.toBe(before);
  });

  test('a pnpm plugin has another digest if a link leads to another package of the same content', async () => {
    const { place, digest } = await installed();
    const before = await digest();
    const link = join(dirname(place('left')), 'right');
    await rm(link);
    await symlink('../../unrelated@1.0.0/node_modules/unrelated', link);
    await writeFile(join(place('unrelated'), 'package.json'), '{"name":"right","version":"1.0.0"}');
    expect(await digest()).not.toBe(before);
  });

  test('a pnpm plugin has the same digest whatever else is in the store', async () => {
    const { place, digest } = await installed();
    const before = await digest();
    await writeFile(join(place('unrelated'), 'index.js'), 'x');
    expect(await digest()).toBe(before);
  });

  test.each(['', '..', '../..', '../../..'])(
    'a pnpm plugin is refused if others can write to a package/%s',
    async (above) => {
      const { place, digest } = await installed();
      const at = join(place('right'), above);
      await chmod(at, 0o777);
      expect(await joinErrorOf(digest)).toMatchObject({ code: 'E_FILE_UNTRUSTED', facts: { file: at } });
    },
  );

  asRoot('is refused if a package, or a link to it, belongs to another user', async () => {
    const { place, digest } = await installed();
    await chown(place('right'), OTHER_USER, OTHER_USER);
    expect(await joinErrorOf(digest)).toMatchObject({ code: 'E_FILE_UNTRUSTED', facts: { file: place('right') } });
    await chown(place('right'), 0, 0);
    const link = join(dirname(place('left')), 'right');
    await lchown(link, OTHER_USER, OTHER_USER);
    expect(await joinErrorOf(digest)).toMatchObject({ code: 'E_FILE_UNTRUSTED', facts: { file: link } });
  });
});

describe('a link of a plugin', () => {
  const withLink = async (target: string, path: string, manifest = {}) => {
    const folder = await pluginFolder({ manifest });
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(target, join(folder, path));
    return folder;
  };

  test.each([
    ['its dependency', '../../outside', 'node_modules/left', MANIFEST],
    ['its dependency', '/usr/lib', 'node_modules/left', MANIFEST],
    ['the directory of its dependencies', '../outside', 'node_modules', MANIFEST],
    ['a file', '../outside/index.js', 'lib.js', {}],
  ])('a link of a plugin is refused if it leads out of the folder: %s, to %s', async (_, target, path, manifest) => {
    const folder = await withLink(target, path, manifest);
    const outside = join(dirname(folder), 'outside');
    await mkdir(join(outside, 'left'), { recursive: true });
    await writeFile(join(outside, 'index.js'), '');
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      code: 'E_PLUGIN_FILES',
      facts: { what: expect.stringContaining('is a link that leads out of it') },
    });
  });

  test('a link of a plugin is refused if it only seems to stay in the folder', async () => {
    const folder = await withLink('.', 'here');
    await writeFile(join(dirname(folder), 'outside.js'), '');
    await symlink('here/../outside.js', join(folder, 'lib.js'));
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      facts: { what: 'lib.js is a link that leads out of it, to here/../outside.js' },
    });
  });

  test('a link of a plugin is refused if its target is missing, because someone could create it', async () => {
    const folder = await withLink('gone.js', 'lib.js');
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      facts: { what: 'lib.js is a link to a missing target, gone.js' },
    });
  });

  test.each(['node_modules/hidden', '.git/hidden'])(
    'the target of a link of a plugin is part of the digest: %s',
    async (place) => {
      const folder = await withLink(`../${place}`, 'lib/hidden');
      await mkdir(join(folder, place), { recursive: true });
      await writeFile(join(folder, place, 'index.js'), 'good');
      const before = await integrityOf(folder, []);
      await writeFile(join(folder, place, 'index.js'), 'evil');
      expect(await integrityOf(folder, [])).not.toBe(before);
    },
  );

  test('a link of a plugin may lead to a directory above it in the folder', async () => {
    expect(await integrityOf(await withLink('..', 'lib/up'), [])).toMatch(/^sha512-/);
  });
});

describe('a file of a plugin that its digest would not cover', () => {
  test.each([
    { main: 'node_modules/hidden/index.js' },
    { main: 'lib/node_modules/hidden.js' },
    { main: '.git/index.js' },
    { pipelines: { acme: 'node_modules/hidden.yaml' } },
    { environments: { acme: '.git/hidden.yaml' } },
  ])('a file that the digest of a plugin would not cover is refused in its manifest: %j', async (joinery) => {
    const folder = await pluginFolder({ joinery });
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      code: 'E_PLUGIN_FILES',
      facts: { what: expect.stringContaining('its digest does not cover') },
    });
  });

  test.each(['./node_modules/hidden/index.js', '../outside.js', './.git/hidden.js'])(
    'a file that the digest of a plugin would not cover is found by the inspection if its code imports %s',
    async (name) => {
      const folder = await pluginFolder({ module: `import '${name}';\nexport default 1;` });
      expect(await findingsOf(await inspectPlugin(folder, VERSION))).toEqual([
        { file: 'index.js', line: 1, what: `imports ${name}, which its digest does not cover` },
      ]);
    },
  );

  test.each(['optionalDependencies', 'peerDependencies'])(
    'a plugin has no file that its digest would not cover among its %s',
    async (kind) => {
      const folder = await pluginFolder({ manifest: { [kind]: { left: '1', missing: '1' } } });
      const place = await store(join(folder, 'node_modules'), { left: [] });
      await symlink('.pnpm/left@1.0.0/node_modules/left', join(folder, 'node_modules/left'));
      const before = await integrityOf(folder, []);
      await writeFile(join(place('left'), 'index.js'), 'evil');
      expect(await integrityOf(folder, [])).not.toBe(before);
    },
  );

  test('a package of a folder above a plugin, where only Node would find it, is refused', async () => {
    const folder = await pluginFolder({ manifest: MANIFEST });
    await mkdir(join(dirname(folder), 'node_modules/left'), { recursive: true });
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      code: 'E_PLUGIN_FILES',
      facts: { what: 'its dependency left is not in its node_modules' },
    });
  });

  asRoot('is refused beside a folder above it if another user can place packages there', async () => {
    const folder = await pluginFolder();
    const modules = join(dirname(folder), 'node_modules');
    await mkdir(modules);
    await expect(inspectPlugin(folder, VERSION)).resolves.toBeDefined();
    await chown(modules, OTHER_USER, OTHER_USER);
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      code: 'E_FILE_UNTRUSTED',
      facts: { file: modules },
    });
  });
});
