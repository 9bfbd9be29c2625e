import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectPlugin } from '../../../engine/plugins/inspect.ts';
import { isInRange } from '../../../engine/plugins/manifest.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { scratch } from '../../helpers/machine.ts';
import { type PluginSource, pluginFolder, VERSION } from './folder.ts';

const named = { name: 'acme', version: '1.0.0' };
const joinery = { engine: '^0.1.0', phases: [] };
const inspected = async (source: PluginSource = {}) => inspectPlugin(await pluginFolder(source), VERSION);

describe('the manifest of a plugin', () => {
  test.each<[string, object | string, string[]]>([
    ['no JSON', '{\n\n"a" 1}', ['it is not JSON (line 3)']],
    ['JSON that is cut off', '{"a": ', ['it is not JSON']],
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
      'with a key too many',
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
  ])('the manifest of a plugin is refused if it is %s, with all problems', async (_, content, problems) => {
    const folder = await pluginFolder();
    await writeFile(join(folder, 'package.json'), typeof content === 'string' ? content : JSON.stringify(content));
    const error = await joinErrorOf(() => inspectPlugin(folder, VERSION));
    expect(error).toMatchObject({ code: 'E_PLUGIN_MANIFEST', exitCode: 3 });
    expect(error.facts).toEqual({ file: join(folder, 'package.json'), problems });
  });

  test('a folder without a manifest is not a plugin', async () => {
    const folder = await scratch();
    expect(await joinErrorOf(() => inspectPlugin(folder, VERSION))).toMatchObject({
      code: 'E_PLUGIN_FILES',
      message: `cannot use ${folder} as a plugin: ${folder}/package.json: does not exist`,
    });
    expect(await joinErrorOf(() => inspectPlugin(join(folder, 'gone'), VERSION))).toMatchObject({
      code: 'E_PLUGIN_FILES',
      message: `cannot use ${folder}/gone as a plugin: ${folder}/gone: does not exist`,
    });
  });

  test('the manifest of a plugin has every part, even if the file omits it', async () => {
    const { manifest } = await inspected({ joinery: { effects: {} } });
    expect(manifest).toEqual({
      name: 'acme',
      version: '1.0.0',
      engine: '^0.1.0',
      main: 'index.js',
      phases: ['acme'],
      dependencies: [],
      featureGates: [],
      environments: {},
      pipelines: {},
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
  ])('a manifest for Joinery %s fits Joinery 0.1.3: %s', (range, isIn) => {
    expect(isInRange('0.1.3', range)).toBe(isIn);
  });

  test.each([
    ['^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4', '0.1.0']],
    ['~1.2.3', ['1.2.9'], ['1.3.0']],
    ['>=1.2.3', ['1.10.0', '2.0.0', '1.2.3-rc.1'], ['1.2.2']],
  ])('the manifest of a plugin reads the range %s as npm does', (range, inside, outside) => {
    expect(inside.filter((version) => !isInRange(version, range))).toEqual([]);
    expect(outside.filter((version) => isInRange(version, range))).toEqual([]);
  });

  test('a manifest for another version of Joinery is reported', async () => {
    expect(await joinErrorOf(() => inspected({ joinery: { engine: '^9.0.0' } }))).toMatchObject({
      code: 'E_PLUGIN_ENGINE',
      message: 'plugin acme requires Joinery ^9.0.0; this is 0.1.0',
      exitCode: 3,
    });
  });
});
