/** A plugin whose module is broken, or whose code does not match its manifest, is refused before any phase runs. */
import { describe, expect, test } from 'vitest';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { load, type PluginSource } from './folder.ts';
import { running } from './hostile.ts';

describe('what a plugin says it does', () => {
  const effect = (of: string, phase = 'async run() {},'): PluginSource => ({
    module: `export default (sdk) => sdk.definePlugin({ phases: [{
      name: 'acme', summary: 'x', output: { type: 'object' }, effects: [${of}], ${phase}
      input: { type: 'object', properties: { name: { type: 'string', description: 'x' } } },
    }] });`,
  });

  test.each([
    ["sdk.writes('/etc/shadow', 0o600, 'x')", 'paths: /etc/shadow'],
    ["sdk.writes('/etc/{name}/x', 0o600, 'x')", 'paths: /etc/{name}/x'],
    ["sdk.writes('{name}', 0o600, 'x')", 'paths: {name}'],
    ["sdk.writes('/etc/*', 0o600, 'x')", 'paths: /etc/*'],
    ["sdk.controls('sshd', ['stop'], 'x')", 'services: sshd'],
    ["sdk.runs('sh', 'x')", 'commands: sh'],
    ["sdk.runs('*', 'x')", 'commands: *'],
    ["sdk.apiCalls(['get', 'list'], 'secrets', 'x')", 'api: get, list secrets'],
    ["sdk.serviceWrites('kubelet', '/var/lib/x', 'x')", 'services: kubelet'],
    ["sdk.unmounts('/var/lib/kubelet', 'x')", 'mounts: /var/lib/kubelet'],
    ["sdk.removesPodSandboxes('x')", 'runtime: true'],
    ["sdk.downloads('x')", 'network: the addresses that it calls'],
    ["{ kind: 'everything', why: 'x' }", 'effects of the kind everything, which this Joinery does not know'],
  ])('a plugin is refused before any phase runs if its phases declare more than its manifest: %s', async (of, what) => {
    const error = await joinErrorOf(() => load(effect(of)));
    expect(error).toMatchObject({ code: 'E_PLUGIN_MISMATCH', exitCode: 3 });
    expect(error.message).toBe(
      `the code of plugin acme does not match its manifest:\n  - phase acme declares an effect that the manifest does not allow: ${what}`,
    );
  });

  test('the port refuses what a phase of a plugin does without declaring it', async () => {
    const { error, host } = await running({
      phase: "async run({ files }) { await files.write('/etc/shadow', 'x', 0o600); },",
    });
    expect(error).toMatchObject({ code: 'E_EFFECT_UNDECLARED', facts: { what: 'file /etc/shadow' }, exitCode: 1 });
    expect(host.changes).toEqual([]);
  });

  test('the declared effects of a plugin stay as they are, whatever it does to its own phase later', async () => {
    const { error } = await running({
      phase: `async run({ files }) {
        this.effects.push({ kind: 'path', path: '/etc/shadow', why: 'x' });
        await files.write('/etc/shadow', 'x', 0o600);
      },`,
    });
    expect(error).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
  });

  const below = (run: string): PluginSource => ({
    ...effect("sdk.writes('/etc/acme/{name}', 0o644, 'x')", `async run({ files }, { name }) { ${run} },`),
    joinery: { effects: { paths: ['/etc/acme/*'] } },
  });
  test.each(['../shadow', '..', 'a/b', '.', ''])(
    'the declared effects of a plugin are not widened by an input: %j',
    async (name) => {
      const source = below("await files.write('/etc/acme/' + name, 'x', 0o644);");
      const { error, host } = await running(source, { name });
      expect(error).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
      expect(host.changes).toEqual([]);
      expect((await running(source, { name: 'a.conf' })).error).toBeUndefined();
    },
  );

  test.each(['/etc', '..', '../../root/.ssh', '/etc/acme/../shadow'])(
    'the declared effects of a plugin are not widened by a link to %s',
    async (target) => {
      const { error, host } = await running(below(`await files.link('/etc/acme/' + name, '${target}');`), {
        name: 'l',
      });
      expect(error).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
      expect(host.changes).toEqual([]);
      expect(
        (await running(below("await files.link('/etc/acme/' + name, 'other');"), { name: 'l' })).error,
      ).toBeUndefined();
    },
  );

  test('the declared effects of a plugin cover addresses by their beginning, and no others', async () => {
    const source: PluginSource = {
      ...effect("sdk.downloads('x')", 'async run({ web }, { name }) { await web.get(name); },'),
      joinery: { effects: { network: ['https://acme.test/releases/'] } },
    };
    const host = () => memoryHost({ downloads: { 'https://acme.test/releases/1': 'x' } });
    expect((await running(source, { name: 'https://acme.test/releases/1' }, host())).error).toBeUndefined();
    for (const name of [
      ...['https://acme.test/', 'http://acme.test/releases/1', 'https://acme.test.evil.test/releases/1'],
      ...[
        'https://acme.test/releases/../secret',
        'https://acme.test:444/releases/1',
        'https://evil.test@acme.test:1/',
        'x',
      ],
    ])
      expect((await running(source, { name }, host())).error, name).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
  });

  test('all differences between manifest and code are reported at once', async () => {
    const error = await joinErrorOf(() =>
      load({
        joinery: { phases: ['acme-a', 'acme-b'], featureGates: ['Acme'], effects: {} },
        phase: "gates: [{ name: 'Other', stage: 'BETA', default: true, since: '1.0', what: 'x' }], async run() {},",
      }),
    );
    expect(error.message.split('\n').slice(1)).toEqual([
      '  - phase acme-a is in the manifest, and not in the code',
      '  - phase acme-b is in the manifest, and not in the code',
      '  - phase acme is in the code, and not in the manifest',
      '  - feature gate Acme is in the manifest, and not in the code',
      '  - feature gate Other is in the code, and not in the manifest',
      '  - phase acme declares an effect that the manifest does not allow: paths: /etc/motd',
    ]);
  });

  test.each([
    [
      "name: 'Not A Name'",
      'phase Not A Name: name has the wrong form "Not A Name": it must be lower-case letters, digits and -',
    ],
    ['summary: 7', 'phase acme: summary must be a string'],
    ['input: []', 'phase acme: input must be an object'],
    ["input: { type: 'string' }", 'phase acme: input.type must be object'],
    [
      "input: { type: 'object', properties: { x: { $ref: '#' } } }",
      'the input schema of phase acme cannot be used: $ref is not supported',
    ],
    [
      "output: { type: 'object', properties: { x: { type: 'nonsense' } } }",
      'the output schema of phase acme cannot be used: nonsense is not a type of JSON Schema',
    ],
    ['effects: {}', 'phase acme: effects must be an array'],
    ["effects: [{ kind: 'path' }]", 'phase acme: effects.0 why is missing'],
    ["effects: [{ kind: 'path', path: { x: 1 }, why: 'x' }]", 'phase acme: effects.0.path must be a string'],
  ])('an export of a plugin has the shape of a phase, or is refused: %s', async (member, what) => {
    const error = await joinErrorOf(() => load({ phase: `async run() {}, ${member},` }));
    expect(error).toMatchObject({ code: 'E_PLUGIN_MISMATCH' });
    expect(error.message).toContain(what);
  });
});

describe('the module of a plugin', () => {
  test.each<[string, string, string]>([
    ['throws', "throw new Error('boom');", 'boom'],
    ['throws nothing', 'throw undefined;', 'it threw undefined'],
    ['throws what cannot be read', "throw new Proxy({}, { get() { throw new Error('unreadable'); } });", 'unreadable'],
    ['is not JavaScript', 'export default function {', "Unexpected token '{'"],
    ['imports what is not there', "import './gone.js';", 'gone.js'],
    ['exports nothing', 'export const x = 1;', 'index.js has no function as its default export'],
    ['exports no function', 'export default {};', 'index.js has no function as its default export'],
    ['returns no plugin', 'export default () => ({ phases: [] });', 'index.js does not return sdk.definePlugin'],
    [
      'returns a phase that is none',
      'export default (sdk) => sdk.definePlugin({ phases: [null] });',
      'one of its phases is not an object',
    ],
    [
      'returns a phase without run',
      "export default (sdk) => sdk.definePlugin({ phases: [{ name: 'acme' }] });",
      'its phase acme has no function run',
    ],
    [
      'returns a circle',
      "const input = {}; input.input = input; export default (sdk) => sdk.definePlugin({ phases: [{ name: 'acme', input, run() {} }] });",
      'circular',
    ],
    [
      'describes itself endlessly',
      "export default (sdk) => sdk.definePlugin({ phases: [{ name: 'acme', summary: 'x'.repeat(2 ** 21), run() {} }] });",
      'its description has more than 1048576 bytes',
    ],
    [
      'has getters that throw',
      "export default (sdk) => sdk.definePlugin({ phases: [{ get name() { throw new Error('gotcha'); }, run() {} }] });",
      'gotcha',
    ],
  ])('a module of a plugin that %s is refused', async (_, module, what) => {
    const error = await joinErrorOf(() => load({ module }));
    expect(error).toMatchObject({ code: 'E_PLUGIN_CODE', exitCode: 3 });
    expect(error.message).toContain(what);
  });

  test.each(['await new Promise(() => {});\nexport default 1;', 'export default () => new Promise(() => {});'])(
    'a module of a plugin that never settles is abandoned: %j',
    async (module) => {
      expect(await joinErrorOf(() => load({ module }, 50))).toMatchObject({
        code: 'E_PLUGIN_CODE',
        facts: { what: 'it did not finish within 0.05 s' },
      });
    },
  );
});
