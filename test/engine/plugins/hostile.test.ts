/**
 * What plugins may do wrong, in good faith or bad: each is refused, or stopped, with an error that says what it was.
 */
import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../../engine/journal/memory.ts';
import type { JournalRecord } from '../../../engine/journal/records.ts';
import { planOfPhase } from '../../../engine/pipeline/phase-plan.ts';
import { run } from '../../../engine/run/run.ts';
import { isSecret } from '../../../engine/sdk/index.ts';
import { type MemoryHost, memoryHost } from '../../../engine/testing/memory-host.ts';
import { runPhase, undoPhase } from '../../../engine/testing/run-phase.ts';
import { joinErrorOf, shownOf } from '../../helpers/errors.ts';
import { SimulatedTime } from '../../helpers/simulated-time.ts';
import { load, type PluginSource, phaseOf } from './folder.ts';

const CANARY = 'canary-4f1e-0123456789';

async function running(made: PluginSource, input: Record<string, unknown> = {}, host: MemoryHost = machine()) {
  const phase = await phaseOf(made);
  const outcome = await runPhase(phase, input, host);
  return { ...outcome, host };
}
const machine = (): MemoryHost => memoryHost({ directories: ['/etc/acme'] });
const returning = (value: string): PluginSource => ({ phase: `async run() { ${value} },` });
const codeOf = async (made: PluginSource, input?: Record<string, unknown>) =>
  ((await running(made, input)).error as { code?: string }).code;

describe('what a plugin says it does', () => {
  const effect = (of: string, phase = 'async run() {},'): PluginSource => ({
    module: `export default (sdk) => sdk.definePlugin({ phases: [{ name: 'acme', summary: 'x', input: { type: 'object', properties: {
      name: { type: 'string', description: 'x' } } }, output: { type: 'object' }, effects: [${of}], ${phase} }] });`,
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
  ])('an effect that the manifest does not allow is refused before any phase runs: %s', async (of, what) => {
    const error = await joinErrorOf(() => load(effect(of)));
    expect(error).toMatchObject({ code: 'E_PLUGIN_MISMATCH', exitCode: 3 });
    expect(error.message).toBe(
      `the code of plugin acme does not match its manifest:\n  - phase acme declares what the manifest's effects do not have: ${what}`,
    );
  });

  test('a change that the phase does not declare is refused by the port', async () => {
    const { error, host } = await running({
      phase: "async run({ files }) { await files.write('/etc/shadow', 'x', 0o600); },",
    });
    expect(error).toMatchObject({ code: 'E_EFFECT_UNDECLARED', facts: { what: 'file /etc/shadow' }, exitCode: 1 });
    expect(host.changes).toEqual([]);
  });

  test('a phase cannot add effects to itself later', async () => {
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
  test.each(['../shadow', '..', 'a/b', '.', ''])('an effect is not widened by an input: %j', async (name) => {
    const made = below("await files.write('/etc/acme/' + name, 'x', 0o644);");
    const { error, host } = await running(made, { name });
    expect(error).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
    expect(host.changes).toEqual([]);
    expect((await running(made, { name: 'a.conf' })).error).toBeUndefined();
  });

  test.each(['/etc', '..', '../../root/.ssh', '/etc/acme/../shadow'])(
    'an effect is not widened by a link to %s',
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

  test('an effect covers addresses by their prefix, and no others', async () => {
    const made: PluginSource = {
      ...effect("sdk.downloads('x')", 'async run({ web }, { name }) { await web.get(name); },'),
      joinery: { effects: { network: ['https://acme.test/releases/'] } },
    };
    const host = () => memoryHost({ downloads: { 'https://acme.test/releases/1': 'x' } });
    expect((await running(made, { name: 'https://acme.test/releases/1' }, host())).error).toBeUndefined();
    for (const name of [
      ...['https://acme.test/', 'http://acme.test/releases/1', 'https://acme.test.evil.test/releases/1'],
      ...[
        'https://acme.test/releases/../secret',
        'https://acme.test:444/releases/1',
        'https://evil.test@acme.test:1/',
        'x',
      ],
    ])
      expect((await running(made, { name }, host())).error, name).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
  });

  test("differences between a plugin's code and its manifest are reported all at once", async () => {
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
      "  - phase acme declares what the manifest's effects do not have: paths: /etc/motd",
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
      'the output schema of phase acme cannot be used: type must be JSONType or JSONType[]: nonsense',
    ],
    ['effects: {}', 'phase acme: effects must be an array'],
    ["effects: [{ kind: 'path' }]", 'phase acme: effects.0 why is missing'],
    ["effects: [{ kind: 'path', path: { x: 1 }, why: 'x' }]", 'phase acme: effects.0.path must be a string'],
  ])('a phase with an invalid shape is refused: %s', async (member, what) => {
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
    ['imports a missing file', "import './gone.js';", 'gone.js'],
    ['exports nothing', 'export const x = 1;', 'index.js has no function as its default export'],
    ['exports an object', 'export default {};', 'index.js has no function as its default export'],
    [
      'returns no plugin',
      'export default () => ({ phases: [] });',
      'index.js returns something else than sdk.definePlugin',
    ],
    [
      'returns null as a phase',
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
      'it describes itself in more than 1048576 bytes',
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
    'a module that never settles is abandoned: %j',
    async (module) => {
      expect(await joinErrorOf(() => load({ module }, 50))).toMatchObject({
        code: 'E_PLUGIN_CODE',
        facts: { what: 'it did not finish within 0.05 s' },
      });
    },
  );
});

describe('a phase of a plugin that throws', () => {
  test.each<[string, string]>([
    ['null', 'null'],
    ['undefined', 'undefined'],
    ["'a string'", 'a string'],
    ['42n', '42'],
    ["Symbol('s')", 'Symbol(s)'],
    ["{ code: 'E_FAKE' }", '{"code":"E_FAKE"}'],
    ['new Proxy({}, { get() { throw 1; }, has() { throw 2; } })', 'it threw a value that cannot be printed'],
    ["new Proxy(new Error('inside'), { get() { throw 1; } })", 'it threw a value that cannot be printed'],
    [
      "Object.defineProperty(new Error(''), 'message', { get() { throw 1; } })",
      'it threw a value that cannot be printed',
    ],
    ["Object.defineProperty(new Error('x'), 'stack', { get() { throw 1; } })", 'x'],
    ["new Error('x', { cause: new Proxy({}, { ownKeys() { throw 1; } }) })", 'x'],
    ["new (class Own extends Error { get name() { throw 1; } })('x')", 'x'],
    ['Object.create(null)', '{}'],
    ['(() => { const e = { message: 7 }; e.e = e; return e; })()', 'it threw a value that cannot be printed'],
  ])('a phase that throws %s fails, and its error has a message', async (thrown, what) => {
    const { error, result, events } = await running({ phase: `async run() { throw ${thrown}; },` });
    expect(result.status).toBe('failed');
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(what);
    expect(shownOf([error, result, events])).not.toBe('');
  });

  test('a phase that throws its own error has it reported, whichever copy of the class it uses', async () => {
    const own = "{ code: 'E_ACME_QUOTA', message: 'no quota', hint: 'Ask for more.', exitCode: 5, transient: false }";
    const made = {
      phase: `async run() { throw Object.assign(new Error('no quota'), ${own}, { [Symbol.for('joinery.error')]: true }); },`,
    };
    expect((await running(made)).error).toMatchObject({
      ...{ name: 'JoinError', code: 'E_ACME_QUOTA', message: 'no quota', hint: 'Ask for more.', exitCode: 5 },
    });
    const lying = { phase: made.phase.replace('exitCode: 5', 'exitCode: 0') };
    expect((await running(lying)).error).toMatchObject({ name: 'Error', message: 'no quota' });
  });

  test('a phase that throws synchronously fails as well', async () => {
    expect((await running({ phase: "run() { throw new Error('at once'); }," })).error).toMatchObject({
      message: 'at once',
    });
  });

  test('an error message of 100 MB is truncated', async () => {
    const { error } = await running({ phase: "async run() { throw new Error('x'.repeat(100e6)); }," });
    expect((error as Error).message.length).toBeLessThan(1000);
  });
});

describe('a phase of a plugin that returns', () => {
  test.each<[string, string]>([
    ['const a = {}; a.a = a; return a;', 'it is nested deeper than 32 levels, or in a circle'],
    ['return JSON.parse(\'{"__proto__": {"polluted": true}}\');', 'no output can be named __proto__'],
    ['return { x: JSON.parse(\'{"__proto__": {"polluted": true}}\') };', 'no output can be named __proto__'],
    ["return { x: 'x'.repeat(100e6) };", 'it has more than 1048576 bytes'],
    ['return { x: Array.from({ length: 2e5 }, () => 1) };', 'it has more than 100000 values'],
    ['return { x: new Array(4e9) };', 'it has more than 100000 values'],
    ['return { x: () => 1 };', 'a function is not a JSON value'],
    ['return { x: 1n };', 'a bigint is not a JSON value'],
    ['return { x: Symbol() };', 'a symbol is not a JSON value'],
  ])('a phase with the body %s fails: its outputs are not plain', async (body, what) => {
    const { error, result } = await running(returning(body));
    expect([error, result.status]).toMatchObject([
      { code: 'E_OUTPUT', facts: { problems: [what] }, exitCode: 1 },
      'failed',
    ]);
    expect('polluted' in {}).toBe(false);
  });

  test.each([
    "return { get x() { throw new Error('got'); } };",
    "return new Proxy({}, { ownKeys() { throw new Error('got'); } });",
  ])('a phase with the body %s fails with the error that it threw', async (body) => {
    expect((await running(returning(body))).error).toMatchObject({ message: 'got' });
  });

  test('outputs that can be converted to plain values are converted', async () => {
    const { result } = await running(
      returning(
        'return Object.assign(Object.create({ inherited: 1 }), { a: new Date(0), b: undefined, constructor: { prototype: 1 } });',
      ),
    );
    expect(result.steps[0]?.outputs).toEqual({ a: {}, constructor: { prototype: 1 } });
  });

  test('a phase fails if its outputs do not match its schema', async () => {
    expect(
      await codeOf({
        phase:
          "output: { type: 'object', properties: { n: { type: 'integer' } } }, async run() { return { n: 'x' }; },",
      }),
    ).toBe('E_OUTPUT');
    expect(await codeOf(returning("return 'text';"))).toBe('E_OUTPUT');
  });

  test('a secret input stays secret in the outputs, whatever the schema says', async () => {
    const records: JournalRecord[] = [];
    const phase = await phaseOf({
      phase: `input: { type: 'object', properties: { token: { type: 'string', writeOnly: true, description: 'x' } } },
      async run({ files, log }, { token }) {
        log.info('it is ' + token.reveal());
        await files.write('/etc/motd', 'x', 0o644);
        return { plain: token.reveal(), kept: token, within: 'Bearer ' + token.reveal(), fake: { [Symbol.for('joinery.secret')]: true, reveal: () => token.reveal() } };
      },`,
    });
    const store = {
      ...memoryStore(),
      append: async (written: readonly JournalRecord[]) => void records.push(...written),
    };
    const outcome = await runPhase(phase, { token: CANARY }, machine(), { store });
    expect(outcome.error).toBeUndefined();
    const outputs = outcome.result.steps[0]?.outputs as Record<string, unknown>;
    expect(Object.values(outputs).map(isSecret)).toEqual([true, true, true, true]);
    expect(records.length).toBeGreaterThan(3);
    expect(shownOf([outcome.result, outcome.events, records])).not.toContain(CANARY);
  });
});

describe('a phase of a plugin without limits', () => {
  test('a phase that never ends is stopped, and then abandoned', async () => {
    const phase = await phaseOf({ phase: 'run: () => new Promise(() => {}),' });
    const [clock, host] = [new SimulatedTime(), machine()];
    const ran = run({ plan: planOfPhase('acme', phase, {}, host.facts), host, clock });
    await clock.passAll();
    expect(await ran).toMatchObject({ status: 'failed', error: { code: 'E_STEP_STUCK' } });
  });

  test('a phase can change nothing after its attempt has ended', async () => {
    const made = {
      phase:
        "async run({ files }) { setTimeout(() => files.write('/etc/motd', 'late', 0o644).catch((error) => { globalThis.lateError = error; }), 5); },",
    };
    const { error, host } = await running(made);
    expect(error).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(host.changes).toEqual([]);
    expect((globalThis as { lateError?: unknown }).lateError).toMatchObject({ code: 'E_ATTEMPT_ENDED' });
  });

  test('the notes of a phase are limited to a thousand, and truncated', async () => {
    const phase = await phaseOf({
      phase:
        "async run({ log }) { log.info('x'.repeat(1e8)); for (let i = 0; i < 10_000; i++) log.info('x'.repeat(1e4)); },",
    });
    const host = machine();
    const result = await run({ plan: planOfPhase('acme', phase, {}, host.facts), host });
    const { notes = [] } = result.steps[0] ?? {};
    expect(notes.length).toBe(1001);
    expect(notes.at(-1)?.text).toBe('further notes are dropped');
    expect(notes[0]?.text).toBe('(dropped a note of 100000000 characters)');
    expect(Math.max(...notes.map(({ text }) => text.length))).toBe(10_000);
  });

  test.each([
    ["files.write('/etc/motd', 'x'.repeat(100e6), 0o644)", 'a file of 100000000 bytes'],
    ["files.write('/etc/motd'.padEnd(100e6, 'x'), 'x', 0o644)", 'a path of 100000000 bytes'],
    ["files.link('/etc/motd', '/etc/motd'.padEnd(100e6, 'x'))", 'a link of 100000000 bytes'],
  ])('a change of 100 MB is refused: %s', async (call, what) => {
    const phase = await phaseOf({ phase: `async run({ files }) { await ${call}; },` });
    const host = machine();
    const { error } = await run({ plan: planOfPhase('acme', phase, {}, host.facts), host });
    expect(error).toMatchObject({ code: 'E_CHANGE_TOO_LARGE', facts: { what } });
    expect(host.changes).toEqual([]);
  });

  test('a command line of 100 kB is refused before it is recorded in the journal', async () => {
    const made: PluginSource = {
      joinery: { effects: { paths: ['/etc/motd'], commands: ['true'] } },
      phase:
        "effects: [sdk.runs('true', 'x')], async run({ commands }) { await commands.run(['true', 'x'.repeat(1e5)], { irreversible: 'x' }); },",
    };
    const { error, host } = await running(made);
    expect(error).toMatchObject({ code: 'E_CHANGE_TOO_LARGE', facts: { bytesMax: 65_536 } });
    expect(host.changes).toEqual([]);
  });

  test('an unreadable error in an undo is reported, and the run is not undone', async () => {
    const undo = "async undo() { throw new Proxy(new Error('x'), { get() { throw 1; } }); },";
    const phase = await phaseOf({
      phase: `async run({ files }) { await files.write('/etc/motd', 'x', 0o644); }, ${undo}`,
    });
    const host = machine();
    const { journal } = await runPhase(phase, {}, host);
    const { status, error, steps } = await undoPhase(phase, host, journal);
    expect([status, error, steps[0]?.status]).toMatchObject([
      ...['failed', { message: 'it threw a value that cannot be printed' }, 'undo-failed'],
    ]);
  });
});
