import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installedPlugins, namedPlugin, type PluginSource } from '../../../engine/plugins/find.ts';
import { inspectPlugin } from '../../../engine/plugins/inspect.ts';
import { assertPinned, readLock, writeLock } from '../../../engine/plugins/lock.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { scratch } from '../../helpers/machine.ts';
import { pluginFolder, VERSION } from './folder.ts';

const PIN = { version: '1.0.0', integrity: `sha512-${'A'.repeat(86)}==` };
const plugin = async () => inspectPlugin(await pluginFolder(), VERSION);
const lockOf = (plugins: Record<string, typeof PIN>, by: PluginSource = 'pipeline') => ({
  file: '/p/joinery.lock',
  by,
  command: 'join plugin lock /p/mine.yaml',
  plugins,
});

describe('a lock', () => {
  test('a written lock pins the plugin for which it was written', async () => {
    const [folder, acme] = [await scratch(), await plugin()];
    expect(readLock(folder, 'pipeline', 'x')).toBeUndefined();
    expect(await writeLock(folder, [acme])).toBe(join(folder, 'joinery.lock'));
    const lock = readLock(folder, 'pipeline', 'x');
    expect(lock?.plugins).toEqual({ acme: { version: '1.0.0', integrity: acme.integrity } });
    if (lock !== undefined) expect(() => assertPinned(acme, 'pipeline', [lock])).not.toThrow();
  });

  test.each<[string, Record<string, typeof PIN>, PluginSource, string | undefined]>([
    ['pins another', { acme: PIN }, 'pipeline', 'plugin acme does not match /p/joinery.lock: it pins 1.0.0 (sha512-A'],
    ['pins another, of what it need not pin', { acme: PIN }, 'command line', 'plugin acme does not match'],
    ['does not pin what it has to', { other: PIN }, 'pipeline', '/p/joinery.lock does not pin plugin acme 1.0.0'],
    ['does not pin what it need not', { other: PIN }, 'command line', undefined],
  ])('a lock that %s', async (_, plugins, by, what) => {
    const acme = await plugin();
    const act = () => assertPinned(acme, by, [lockOf(plugins)]);
    if (what === undefined) return expect(act).not.toThrow();
    const error = await joinErrorOf(act);
    expect(error).toMatchObject({ code: 'E_PLUGIN_LOCK', exitCode: 12 });
    expect(error.message).toContain(what);
    expect(error.hint).toContain('join plugin lock /p/mine.yaml');
  });

  test.each([
    ['{\n', 'it is not JSON (line 2)'],
    ['[]', 'must be an object'],
    ['{"lockVersion":2,"plugins":{}}', 'lockVersion must be 1'],
    [
      '{"lockVersion":1,"plugins":{"acme":{"version":"1.0.0","integrity":"md5-x"}}}',
      'plugins.acme.integrity has the wrong form',
    ],
    [' '.repeat(1 << 21), 'it is larger than 1048576 bytes'],
  ])('an invalid lock is refused: %s', async (text, what) => {
    const folder = await scratch();
    await writeFile(join(folder, 'joinery.lock'), text);
    const error = await joinErrorOf(() => readLock(folder, 'pipeline', 'x'));
    expect(error).toMatchObject({ code: 'E_PLUGIN_LOCK_FILE', exitCode: 3 });
    expect(error.message).toContain(what);
  });
});

describe('a plugin is looked for', () => {
  test("plugins are searched in every folder of the machine's plugin directory", async () => {
    const folder = await scratch();
    expect(installedPlugins(join(folder, 'none'))).toEqual([]);
    for (const name of ['b', 'a', '.hidden', 'node_modules']) await mkdir(join(folder, name));
    expect(installedPlugins(folder)).toEqual(
      ['a', 'b'].map((name) => ({ folder: join(folder, name), by: 'machine', isShipped: false })),
    );
    await writeFile(join(folder, 'file'), '');
    expect(await joinErrorOf(() => installedPlugins(join(folder, 'file')))).toMatchObject({ code: 'E_PLUGIN_FILES' });
  });

  test('a plugin is found by its path or name: in Joinery, on the machine, beside the pipeline', async () => {
    const [from, shipped, installed] = [await scratch(), await scratch(), await scratch()];
    const named = (name: string) => namedPlugin(name, from, shipped, installed);
    expect(await named('./acme')).toEqual({ folder: join(from, 'acme'), by: 'pipeline', isShipped: false });
    expect(await named('/opt/acme')).toMatchObject({ folder: '/opt/acme' });
    for (const name of ['acme', '@x/acme', '..acme', '.hidden/x'])
      expect(await joinErrorOf(() => named(name))).toMatchObject({
        code: 'E_PLUGIN_MISSING',
        facts: { plugin: name, searched: [shipped, installed, `${from}/node_modules`] },
      });
    for (const [folder, isShipped] of [
      [join(from, 'node_modules/acme'), false],
      [join(installed, 'acme'), false],
      [join(shipped, 'acme'), true],
    ] as const) {
      await pluginFolder({}, folder);
      expect(await named('acme')).toEqual({ folder, by: 'pipeline', isShipped });
    }
  });
});
