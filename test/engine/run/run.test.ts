import { describe, expect, test } from 'vitest';
import type { Template } from '../../../engine/expressions/template.ts';
import { type RunEvent, run } from '../../../engine/run/run.ts';
import { controls, fail, isSecret, type Ports, Secret, writes } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { planOfSteps, type TestStep } from '../../helpers/plans.ts';
import { SimulatedTime } from '../../helpers/simulated-time.ts';

const CANARY = 'canary-77aa';
const SIGNAL = new AbortController().signal;
const ETC = [writes('/etc/*', 0o644, 'x'), controls('kubelet', ['start', 'stop'], 'x')];
const BROKEN = fail('E_FILE', { path: '/x', what: 'no space' });
const write =
  (name: string, text = name) =>
  ({ files }: Ports) =>
    files.write(`/etc/${name}`, text, 0o644);
const runSteps = (steps: TestStep[], host = memoryHost({ directories: ['/etc'], services: { kubelet: {} } })) =>
  run({ plan: planOfSteps(...steps), host });

describe('a run', () => {
  test('a run gives each step its input, and reports its result', async () => {
    const events: RunEvent[] = [];
    const seen: unknown[] = [];
    const plan = planOfSteps(
      {
        id: 'a',
        effects: ETC,
        run: async (ports) => {
          ports.log.info('hello');
          await write('a')(ports);
          return { size: 1 };
        },
      },
      {
        id: 'b',
        needs: ['a'],
        with: {
          kind: 'map',
          entries: [['size', { kind: 'placeholder', expression: { kind: 'output', step: 'a', name: 'size' } }]],
        },
        run: (_, input) => void seen.push(input),
      },
    );
    const host = memoryHost({ directories: ['/etc'], now: () => new Date(0) });
    const result = await run({ plan, host, onEvent: (event) => events.push(event) });
    const change = { kind: 'file', path: '/etc/a', action: 'create', mode: 0o644, content: 'a' };
    expect(result).toEqual({
      pipeline: 'made',
      status: 'succeeded',
      durationMs: 0,
      changes: { made: 1, undone: 0, kept: 0 },
      isUndone: false,
      steps: [
        {
          id: 'a',
          phase: 'a',
          status: 'succeeded',
          attempts: 1,
          durationMs: 0,
          notes: [{ level: 'info', text: 'hello' }],
          changes: [change],
          outputs: { size: 1 },
        },
        { id: 'b', phase: 'b', status: 'succeeded', attempts: 1, durationMs: 0, notes: [], changes: [], outputs: {} },
      ],
    });
    expect(seen).toEqual([{ size: 1 }]);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(events.map((event) => ('step' in event ? `${event.type} ${event.step}` : event.type))).toEqual([
      'run.started',
      'step.started a',
      'step.log a',
      'step.change a',
      'step.ended a',
      'step.started b',
      'step.ended b',
      'run.ended',
    ]);
  });

  test('a failed run has the error of the failed step, with the ID of that step', async () => {
    const result = await runSteps([
      { id: 'a', run: () => Promise.reject(fail('E_FILE', { path: '/x', what: 'no space' })) },
      { id: 'b', needs: ['a'], run: () => ({}) },
    ]);
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'E_FILE', step: 'a' },
      steps: [{ status: 'failed' }, { status: 'skipped', attempts: 0 }],
    });
    expect(result.error).toBe(result.steps[0]?.error);
  });

  test('an error that is not a JoinError stays the same object', async () => {
    const bug = new TypeError('oops');
    const { error } = await runSteps([{ id: 'a', run: () => Promise.reject(bug) }]);
    expect(error).toBe(bug);
  });

  test('a failed run has an error even if the phase throws undefined', async () => {
    const { status, error } = await runSteps([{ id: 'a', run: () => Promise.reject(undefined) }]);
    expect(status).toBe('failed');
    expect(error).toBeInstanceOf(Error);
  });

  test('outputs that do not match the schema are refused', async () => {
    const output = {
      type: 'object',
      properties: { n: { type: 'integer' }, key: { type: 'string', writeOnly: true, pattern: '^k' } },
    } as const;
    const { error } = await runSteps([{ id: 'a', output, run: () => ({ n: 'x', key: CANARY }) }]);
    expect(error).toMatchObject({
      code: 'E_OUTPUT',
      facts: { phase: 'a', problems: ['n must be an integer', expect.stringMatching(/^key has the wrong form: /)] },
    });
    expect(printedForms(error)).not.toContain(CANARY);
  });

  test('secret outputs are always wrapped as Secrets', async () => {
    const output = {
      type: 'object',
      properties: { a: { type: 'string', writeOnly: true }, b: { type: 'string', writeOnly: true } },
    } as const;
    const result = await runSteps([{ id: 'a', output, run: () => ({ a: CANARY, b: new Secret(CANARY) }) }]);
    const outputs = result.steps[0]?.outputs as { a: unknown; b: unknown };
    expect([isSecret(outputs.a), isSecret(outputs.b)]).toEqual([true, true]);
    expect(printedForms(result)).not.toContain(CANARY);
  });

  test('a phase that has ended cannot use its ports', async () => {
    const kept: Ports[] = [];
    const { status } = await runSteps([{ id: 'a', effects: ETC, run: (ports) => void kept.push(ports) }]);
    const [ports] = kept;
    if (ports === undefined) throw new Error('no ports');
    expect(status).toBe('succeeded');
    expect(await joinErrorOf(() => write('late')(ports))).toMatchObject({ code: 'E_ATTEMPT_ENDED' });
  });

  const reading = (step: string): Template => ({
    kind: 'map',
    entries: [['x', { kind: 'placeholder', expression: { kind: 'output', step, name: 'x' } }]],
  });

  test('a step that reads an undecided step is undecided, and a step that only follows it runs', async () => {
    const ran: string[] = [];
    const result = await runSteps([
      { id: 'a', run: () => Promise.reject(fail('E_UNDECIDED', { what: 'the answer' })) },
      { id: 'reads', needs: ['a'], with: reading('a'), run: () => void ran.push('reads') },
      { id: 'after', needs: ['a'], run: () => void ran.push('after') },
      { id: 'reads-reads', needs: ['reads'], with: reading('reads'), run: () => void ran.push('reads-reads') },
    ]);
    expect(result.status).toBe('succeeded');
    expect(result.steps.map(({ status }) => status)).toEqual(['undecided', 'undecided', 'succeeded', 'undecided']);
    expect(result.steps[0]?.notes).toEqual([{ level: 'warn', text: 'a dry run cannot determine the answer' }]);
    expect(ran).toEqual(['after']);
  });

  test('a retried step reports the notes of its last attempt, and the changes of all attempts', async () => {
    let tries = 0;
    const { steps } = await runSteps([
      {
        id: 'a',
        effects: ETC,
        retry: { attempts: 2, initialMs: 0, factor: 1, capMs: 0 },
        async run(ports) {
          ports.log.info(`try ${++tries}`);
          await write(`a${tries}`)(ports);
          if (tries === 1) throw fail('E_API_UNREACHABLE', { server: 's', what: 'reset' });
        },
      },
    ]);
    expect(steps[0]).toMatchObject({ status: 'succeeded', attempts: 2, notes: [{ level: 'info', text: 'try 2' }] });
    expect(steps[0]).not.toHaveProperty('error');
    expect(steps[0]?.changes.map((change) => 'path' in change && change.path)).toEqual(['/etc/a1', '/etc/a2']);
  });

  test('a step that times out reports the time limit, not the error that the abort caused', async () => {
    const time = new SimulatedTime();
    const running = run({
      plan: planOfSteps({
        id: 'slow',
        timeoutMs: 1_000,
        async run({ files, signal }) {
          await time.sleep(50_000, signal).catch(() => undefined);
          await files.read('/etc/x'); // refused: the attempt is over
        },
      }),
      host: memoryHost(),
      clock: time,
    });
    await time.passAll();
    expect((await running).error).toMatchObject({ code: 'E_STEP_TIME_LIMIT', step: 'slow', exitCode: 7 });
  });

  test('a cancelled run ends with the reason, and starts no more steps', async () => {
    const cancel = new AbortController();
    const reason = fail('E_CANCELLED', { signal: 'SIGINT' });
    const ran: string[] = [];
    const result = await run({
      plan: planOfSteps(
        {
          id: 'a',
          run: () => {
            ran.push('a');
            cancel.abort(reason);
          },
        },
        { id: 'b', needs: ['a'], run: () => void ran.push('b') },
      ),
      host: memoryHost(),
      signal: cancel.signal,
    });
    expect(result).toMatchObject({ status: 'cancelled', steps: [{ status: 'succeeded' }, { status: 'skipped' }] });
    expect([result.error, ran]).toEqual([reason, ['a']]);
  });

  test('a run that is cancelled before it starts does nothing', async () => {
    const ran: string[] = [];
    const reason = fail('E_CANCELLED', { signal: 'SIGINT' });
    const plan = planOfSteps({ id: 'a', run: () => void ran.push('a') });
    const result = await run({ plan, host: memoryHost(), signal: AbortSignal.abort(reason) });
    expect(result).toMatchObject({ status: 'cancelled', steps: [{ status: 'cancelled' }] });
    expect([result.error, ran]).toEqual([reason, []]);
  });
});

describe('the undo of a failed run', () => {
  const undoing = (steps: TestStep[], host: ReturnType<typeof memoryHost>) =>
    run({ plan: planOfSteps(...steps), host, onFailure: 'undo' });
  const machine = () => memoryHost({ files: { '/etc/old': 'old' }, services: { kubelet: { active: true } } });
  const contents = async (host: ReturnType<typeof memoryHost>) => ({
    names: await host.read<'list'>({ kind: 'list', path: '/etc' }, SIGNAL),
    old: (await host.read<'file'>({ kind: 'file', path: '/etc/old' }, SIGNAL))?.toString(),
    active: (await host.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL)).active,
  });
  const steps: TestStep[] = [
    {
      id: 'a',
      effects: ETC,
      run: async (ports) => {
        await ports.services.stop('kubelet');
        await write('new')(ports);
        await write('old', 'changed')(ports);
      },
    },
    {
      id: 'b',
      needs: ['a'],
      effects: ETC,
      run: async (ports) => {
        await write('old', 'changed again')(ports);
        await ports.services.start('kubelet');
      },
    },
    {
      id: 'c',
      needs: ['b'],
      effects: ETC,
      run: async (ports) => {
        await ports.files.remove('/etc/new');
        throw BROKEN;
      },
    },
    { id: 'd', needs: ['c'], run: () => ({}) },
  ];

  test('an undo restores everything, the last step first, and the run still reports the failed step', async () => {
    const host = machine();
    const before = await contents(host);
    const result = await undoing(steps, host);
    expect(await contents(host)).toEqual(before);
    expect(result.status).toBe('failed');
    expect(result.error).toMatchObject({ code: 'E_FILE', step: 'c' });
    expect(result.steps.map(({ status }) => status)).toEqual(['undone', 'undone', 'undone', 'skipped']);
  });

  test('a failed run keeps its changes by default', async () => {
    const host = machine();
    const { steps: ended } = await run({ plan: planOfSteps(...steps), host });
    expect(ended.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'failed', 'skipped']);
    expect(await contents(host)).toEqual({ names: ['old'], old: 'changed again', active: true });
  });

  test('an undo reports the changes that it could not undo, and undoes the rest', async () => {
    const host = machine();
    const { apply } = host;
    host.apply = async (change, signal) => {
      if (change.kind === 'file' && change.content.toString() === 'old' && change.secret) throw BROKEN;
      return apply(change, signal);
    };
    const result = await undoing(steps, host);
    expect(result.steps.map(({ status }) => status)).toEqual(['undo-failed', 'undone', 'undone', 'skipped']);
    expect(result.steps[0]?.notes).toMatchObject([{ level: 'warn', text: expect.stringContaining('no space') }]);
  });
});
