/** A phase that throws, returns or does what it should not fails with an error that says what it was. */
import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../../engine/journal/memory.ts';
import type { JournalRecord } from '../../../engine/journal/records.ts';
import { planOfPhase } from '../../../engine/pipeline/phase-plan.ts';
import { run } from '../../../engine/run/run.ts';
import { isSecret } from '../../../engine/sdk/index.ts';
import { runPhase, undoPhase } from '../../../engine/testing/run-phase.ts';
import { printedForms } from '../../helpers/errors.ts';
import { SimulatedTime } from '../../helpers/simulated-time.ts';
import { type PluginSource, phaseOf } from './folder.ts';
import { codeOf, machine, returning, running } from './hostile.ts';

const CANARY = 'canary-4f1e-0123456789';

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
  ])('a phase of a plugin that throws %s fails with an error that says so', async (thrown, what) => {
    const { error, result, events } = await running({ phase: `async run() { throw ${thrown}; },` });
    expect(result.status).toBe('failed');
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(what);
    expect(printedForms([error, result, events])).not.toBe('');
  });

  test('a phase that throws its own errors has them reported, whichever copy of the class they use', async () => {
    const own = "{ code: 'E_ACME_QUOTA', message: 'no quota', hint: 'Ask for more.', exitCode: 5, transient: false }";
    const source = {
      phase: `async run() { throw Object.assign(new Error('no quota'), ${own}, { [Symbol.for('joinery.error')]: true }); },`,
    };
    expect((await running(source)).error).toMatchObject({
      name: 'JoinError',
      code: 'E_ACME_QUOTA',
      message: 'no quota',
      hint: 'Ask for more.',
      exitCode: 5,
    });
    const lying = { phase: source.phase.replace('exitCode: 5', 'exitCode: 0') };
    expect((await running(lying)).error).toMatchObject({ name: 'Error', message: 'no quota' });
  });

  test('a phase of a plugin that throws before it begins fails as well', async () => {
    expect((await running({ phase: "run() { throw new Error('at once'); }," })).error).toMatchObject({
      message: 'at once',
    });
  });

  test('a message of 100 MB from a phase of a plugin is cut', async () => {
    const { error } = await running({ phase: "async run() { throw new Error('x'.repeat(100e6)); }," });
    expect((error as Error).message.length).toBeLessThan(1000);
  });
});

describe('a phase of a plugin that returns', () => {
  test.each<[string, string]>([
    ['const a = {}; a.a = a; return a;', 'it is nested deeper than 32 levels, or has a cycle'],
    ['return JSON.parse(\'{"__proto__": {"polluted": true}}\');', 'no output can be named __proto__'],
    ['return { x: JSON.parse(\'{"__proto__": {"polluted": true}}\') };', 'no output can be named __proto__'],
    ["return { x: 'x'.repeat(100e6) };", 'it has more than 1048576 bytes'],
    ['return { x: Array.from({ length: 2e5 }, () => 1) };', 'it has more than 100000 values'],
    ['return { x: new Array(4e9) };', 'it has more than 100000 values'],
    ['return { x: () => 1 };', 'a function is not a JSON value'],
    ['return { x: 1n };', 'a bigint is not a JSON value'],
    ['return { x: Symbol() };', 'a symbol is not a JSON value'],
  ])('a phase of a plugin that returns %s fails, because its outputs are not plain', async (body, what) => {
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
  ])('a phase of a plugin that returns %s fails with what it threw', async (body) => {
    expect((await running(returning(body))).error).toMatchObject({ message: 'got' });
  });

  test('a phase of a plugin that returns a value that can be made plain outputs the plain value', async () => {
    const { result } = await running(
      returning(
        'return Object.assign(Object.create({ inherited: 1 }), { a: new Date(0), b: undefined, constructor: { prototype: 1 } });',
      ),
    );
    expect(result.steps[0]?.outputs).toEqual({ a: {}, constructor: { prototype: 1 } });
  });

  test('another thing than its schema says has failed', async () => {
    expect(
      await codeOf({
        phase:
          "output: { type: 'object', properties: { n: { type: 'integer' } } }, async run() { return { n: 'x' }; },",
      }),
    ).toBe('E_OUTPUT');
    expect(await codeOf(returning("return 'text';"))).toBe('E_OUTPUT');
  });

  test('a secret that it was given has it kept secret, whatever its schema says', async () => {
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
    expect(printedForms([outcome.result, outcome.events, records])).not.toContain(CANARY);
  });
});

describe('a phase of a plugin that continues', () => {
  test('a phase without end is aborted, and then abandoned', async () => {
    const phase = await phaseOf({ phase: 'run: () => new Promise(() => {}),' });
    const [clock, host] = [new SimulatedTime(), machine()];
    const ran = run({ plan: planOfPhase('acme', phase, {}, host.facts), host, clock });
    await clock.passAll();
    expect(await ran).toMatchObject({ status: 'failed', error: { code: 'E_STEP_STUCK' } });
  });

  test('a phase of a plugin that continues after its attempt has ended can change nothing', async () => {
    const source = {
      phase:
        "async run({ files }) { setTimeout(() => files.write('/etc/motd', 'late', 0o644).catch((error) => { globalThis.lateError = error; }), 5); },",
    };
    const { error, host } = await running(source);
    expect(error).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(host.changes).toEqual([]);
    expect((globalThis as { lateError?: unknown }).lateError).toMatchObject({ code: 'E_ATTEMPT_ENDED' });
  });

  test('a phase with 100 MB of notes has a thousand lines reported, each truncated', async () => {
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
  ])('a change of 100 MB by a phase of a plugin is refused: %s', async (call, what) => {
    const phase = await phaseOf({ phase: `async run({ files }) { await ${call}; },` });
    const host = machine();
    const { error } = await run({ plan: planOfPhase('acme', phase, {}, host.facts), host });
    expect(error).toMatchObject({ code: 'E_CHANGE_TOO_LARGE', facts: { what } });
    expect(host.changes).toEqual([]);
  });

  test('a command line of 100 kB by a phase of a plugin is refused before it is journaled', async () => {
    const source: PluginSource = {
      joinery: { effects: { paths: ['/etc/motd'], commands: ['true'] } },
      phase:
        "effects: [sdk.runs('true', 'x')], async run({ commands }) { await commands.run(['true', 'x'.repeat(1e5)], { irreversible: 'x' }); },",
    };
    const { error, host } = await running(source);
    expect(error).toMatchObject({ code: 'E_CHANGE_TOO_LARGE', facts: { bytesMax: 65_536 } });
    expect(host.changes).toEqual([]);
  });

  test('an undo that throws an unreadable value is reported, and the run is not undone', async () => {
    const undo = "async undo() { throw new Proxy(new Error('x'), { get() { throw 1; } }); },";
    const phase = await phaseOf({
      phase: `async run({ files }) { await files.write('/etc/motd', 'x', 0o644); }, ${undo}`,
    });
    const host = machine();
    const { journal } = await runPhase(phase, {}, host);
    const { status, error, steps } = await undoPhase(phase, host, journal);
    expect([status, error, steps[0]?.status]).toMatchObject([
      ...['failed', { cause: { message: 'it threw a value that cannot be printed' } }, 'undo-failed'],
    ]);
  });
});
