// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
import { chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MachineFiles } from '../../../engine/host/files.ts';
import { realHost } from '../../../engine/host/real.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { type Answer, answerPath } from '../../../engine/journal/approval.ts';
import { Runs } from '../../../engine/journal/runs.ts';
import { kubeAccess } from '../../../engine/kube/access.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { type RunEvent, type RunOptions, run } from '../../../engine/run/run.ts';
import { fail, writes } from '../../../engine/sdk/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { scratch } from '../../helpers/machine.ts';
import { phaseOfStep } from '../../helpers/plans.ts';

const registry = new Registry();
registry.add(
  phaseOfStep({
    id: 'motd',
    effects: [writes('/etc/motd', 0o644, 'the greeting')],
    input: { type: 'object', properties: { text: { type: 'string' } } },
    run: async ({ files }, input) => {
      await files.write('/etc/motd', (input as { text: string }).text, 0o644);
      return {};
    },
  }),
);

const load = (...steps: string[]) =>
  loadPipeline(
    'made.yaml',
    [
      'apiVersion: joinery.dev/v1',
      'kind: Pipeline',
      'metadata: { name: made }',
      'inputs: { type: object, properties: { key: { type: string, writeOnly: true } } }',
      'steps:',
      ...steps,
    ].join('\n'),
  );
const ASK = '- { id: ask, approval: { message: "Greet on ${{ host.name }}?", deadline: 1h } }';
const GREET =
  '- { id: greet, uses: motd, with: { text: "${{ steps.ask.outputs.by }}: ${{ steps.ask.outputs.reason }}" } }';

/** A machine on which runs start and resume, as if in one process after the other. */
async function machine(...steps: string[]) {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  const clock = { offsetMs: 0 };
  const now = () => new Date(Date.now() + clock.offsetMs);
  const runs = new Runs(new MachineFiles(root), now);
  const pipeline = load(...steps);
  /** With `killed`, runs until the first question: the disk is then as SIGKILL leaves it. */
  const go = async (options: Partial<RunOptions> = {}, id?: string) => {
    const real = await realHost(root, { access: kubeAccess });
    const host = { ...real, now };
    const plan = planOf(pipeline, registry, {}, host.facts);
    const { pipeline: name, source, inputs } = plan;
    const begin = {
      joinery: '0',
      pipeline: name,
      source,
      inputs,
      host: host.facts,
      steps: plan.steps.map((s) => s.id),
    };
    const journal = id === undefined ? runs.begin(begin) : await runs.open(id);
    const events: RunEvent[] = [];
    let onAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const onEvent = (event: RunEvent) => {
      events.push(event);
      if (event.type === 'step.asked') onAsked();
    };
    const ended = run({ plan, host, journal, onEvent, ...options }).finally(() => real.close());
    await Promise.race([asked, ended]);
    return { id: journal.id, ended, events };
  };
  const put = async (id: string, step: string, text: string) => {
    await mkdir(dirname(join(root, answerPath(id, step))), { recursive: true });
    await writeFile(join(root, answerPath(id, step)), text);
  };
  const motd = () => new MachineFiles(root).read('/etc/motd').then(String);
  const kill = (options: Partial<RunOptions> = {}) => {
    const stop = new AbortController();
    return { stop, options: { ...options, signal: stop.signal } };
  };
  return { root, runs, clock, go, put, motd, kill };
}

describe('an approval', () => {
  test('an approval waits for an answer in its file, and outputs who answered and why', async () => {
    const { go, put, runs, motd, root } = await machine(ASK, GREET);
    const { id, ended, events } = await go();
    expect(events.find(({ type }) => type === 'step.asked')).toMatchObject({
      run: id,
      step: 'ask',
      message: expect.stringMatching(/^Greet on \S+\?$/),
      path: answerPath(id, 'ask'),
    });
    expect((await stat(join(root, 'run/joinery', id))).mode & 0o777).toBe(0o700);
    await sleep(30);
    await put(id, 'ask', 'approve change 4711\n');
    const result = await ended;
    expect(result).toMatchObject({ status: 'succeeded', steps: [{ status: 'succeeded', attempts: 1 }, {}] });
    expect(result.steps[0]?.notes).toEqual([{ level: 'info', text: 'approved by root: change 4711' }]);
    expect(await motd()).toBe('root: change 4711');
    expect((await runs.history(id)).approvals.get('ask')).toMatchObject({
      answer: { decision: 'approved', by: 'root', reason: 'change 4711', via: 'file' },
    });
    await expect(stat(join(root, 'run/joinery'))).rejects.toThrow(); // the approval leaves no file
  });

  test('join approve answers an approval, also while the run is not running', async () => {
    const { go, runs, motd, kill } = await machine(ASK, GREET);
    const { stop, options } = kill();
    const first = await go(options);
    stop.abort(fail('E_CANCELLED', { signal: 'SIGTERM' }));
    expect((await first.ended).status).toBe('cancelled');
    await runs.answer(first.id, 'ask', { decision: 'approved', by: 'alice', reason: 'ok' });
    expect((await (await go({}, first.id)).ended).status).toBe('succeeded');
    expect(await motd()).toBe('alice: ok');
    expect((await runs.history(first.id)).approvals.get('ask')?.answer?.via).toBe('command');
    expect(
      await joinErrorOf(() => runs.answer(first.id, 'ask', { decision: 'denied', by: 'bob', reason: '' })),
    ).toMatchObject({ code: 'E_APPROVAL_NONE', exitCode: 2 });
  });

  test('an answer at the terminal counts, and an answer from elsewhere cancels the prompt', async () => {
    const { go, put, motd } = await machine(ASK, GREET);
    const yes: Answer = { decision: 'approved', by: 'carol', reason: 'here', via: 'terminal' };
    await (await go({ ask: async () => yes })).ended;
    expect(await motd()).toBe('carol: here');
    let reason: unknown;
    const second = await go({
      ask: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          });
        }),
    });
    await put(second.id, 'ask', 'approve\n');
    expect((await second.ended).status).toBe('succeeded');
    expect(String(reason)).toContain('the question is answered');
  });

  test.skipIf(process.getuid?.() !== 0)('an answer file that does not belong to root is refused', async () => {
    const { go, put, root } = await machine(ASK, GREET);
    const { id, ended } = await go();
    await put('elsewhere', 'ask', 'approve\n');
    await chown(join(root, answerPath('elsewhere', 'ask')), 65_534, 65_534);
    await rename(join(root, answerPath('elsewhere', 'ask')), join(root, answerPath(id, 'ask')));
    expect(await ended).toMatchObject({
      status: 'failed',
      error: { code: 'E_FILE', message: expect.stringContaining('neither root nor the user of this run') },
    });
  });

  test('a denied approval fails its step, and a resumed run asks again', async () => {
    const { go, put, runs } = await machine(ASK, GREET);
    const first = await go();
    await put(first.id, 'ask', 'deny no window today\n');
    const result = await first.ended;
    expect(result).toMatchObject({
      status: 'failed',
      steps: [{ status: 'failed' }, { status: 'skipped' }],
      error: {
        code: 'E_APPROVAL_DENIED',
        message: 'step ask was denied by root: no window today',
        exitCode: 8,
      },
    });
    const again = await go({}, first.id);
    expect((await runs.history(first.id)).approvals.get('ask')?.answer).toBeUndefined();
    await put(first.id, 'ask', 'approve now\n');
    expect((await again.ended).status).toBe('succeeded');
  });

  test('an approval keeps its deadline when the process dies and the machine reboots', async () => {
    const { go, runs, clock, root, kill } = await machine(ASK, GREET);
    const { stop, options } = kill();
    const first = await go(options);
    const { until } = (await runs.history(first.id)).approvals.get('ask') ?? {};
    stop.abort(fail('E_CANCELLED', { signal: 'SIGKILL' }));
    await first.ended;
    await rm(join(root, 'run'), { recursive: true, force: true }); // tmpfs
    clock.offsetMs = 3_600_000 - 400; // an hour after it was asked, less a little
    const second = await go({}, first.id);
    expect((await runs.history(first.id)).approvals.get('ask')?.until).toBe(until);
    const result = await second.ended; // the deadline does not start again
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'E_APPROVAL_TIMEOUT', message: 'step ask was not approved before its deadline', exitCode: 7 },
    });
    clock.offsetMs = 7_200_000;
    const third = await go({}, first.id);
    expect((await runs.history(first.id)).approvals.get('ask')?.until).not.toBe(until); // a new question
    await runs.answer(first.id, 'ask', { decision: 'approved', by: 'dave', reason: '' });
    expect((await third.ended).status).toBe('succeeded');
  });

  test('with onTimeout: approve, the deadline approves', async () => {
    const { go, motd, runs } = await machine(
      '- { id: ask, approval: { message: "Well?", deadline: 200ms, onTimeout: approve } }',
      GREET,
    );
    const { id, ended } = await go();
    expect((await ended).status).toBe('succeeded');
    expect(await motd()).toBe(['nobody', 'the deadline has passed'].join(': '));
    expect((await runs.history(id)).approvals.get('ask')?.answer?.via).toBe('deadline');
  });

  test('waiting approvals do not keep other steps from running', async () => {
    const { go, put, motd } = await machine(
      ...Array.from({ length: 9 }, (_, i) => `- { id: ask${i}, needs: [], approval: { message: m, deadline: 1h } }`),
      '- { id: greet, needs: [], uses: motd, with: { text: meanwhile } }',
    );
    const { id, ended, events } = await go({ maxParallel: 2 });
    while (!events.some((event) => event.type === 'step.ended')) await sleep(5);
    expect(await motd()).toBe('meanwhile');
    for (let i = 0; i < 9; i++) await put(id, `ask${i}`, 'approve\n');
    expect((await ended).status).toBe('succeeded');
  });

  test('a dry run reports the question, writes nothing and does not ask', async () => {
    const root = await scratch();
    await mkdir(join(root, 'etc'));
    const real = await realHost(root, { access: kubeAccess });
    const host = recordingHost(real);
    const plan = planOf(
      load(ASK, GREET, '- { id: only, if: "steps.ask.outputs.by == \'alice\'", uses: motd }'),
      registry,
      {},
      host.facts,
    );
    const result = await run({ plan, host, ask: () => Promise.reject(new Error('no question is expected')) });
    await real.close();
    expect(result.steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'ask succeeded',
      'greet succeeded',
      'only undecided',
    ]);
    expect(result.steps[0]?.notes).toEqual([
      { level: 'info', text: expect.stringMatching(/^would ask, for 1h: Greet on \S+\?$/) },
    ]);
    await expect(stat(join(root, 'run'))).rejects.toThrow();
  });

  test('an approval has no phase, and shows no secret', async () => {
    const problems = async (...steps: string[]) =>
      (await joinErrorOf(() => checkPipeline(load(...steps), registry))).message.split('\n');
    expect(
      await problems('- { id: a, uses: motd, retry: { attempts: 2 }, approval: { message: m, deadline: 1h } }'),
    ).toEqual([
      'made.yaml:6:12: an approval cannot have uses: remove it',
      'made.yaml:6:24: an approval cannot have retry: remove it',
    ]);
    expect(await problems('- { id: a }')).toEqual(['made.yaml:6:3: a step needs either uses or approval']);
    expect(await problems('- { id: a, approval: { message: "${{ inputs.key }}", deadline: soon } }')).toEqual([
      'made.yaml:6:64: has the wrong form "soon": it must be a duration such as 500ms, 30s or 1h30m',
    ]);
    expect(await problems('- { id: a, approval: { message: "${{ inputs.key }}", deadline: 1h } }')).toEqual([
      'made.yaml:6:33: message cannot take a secret: people see the question',
    ]);
  });
});
