import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import type { Journal } from '../../../engine/journal/journal.ts';
import type { Plan } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { undoPlan } from '../../../engine/run/plan-record.ts';
import { type RunEvent, type RunOptions, run, type UndoOptions, undo } from '../../../engine/run/run.ts';
import { fail, type Ports, type Secret, writes } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { runsOnDisk, START } from '../../helpers/journals.ts';
import { type MadeStep, madePhase, madePlan } from '../../helpers/plans.ts';

const SIGNAL = new AbortController().signal;
const ETC = [writes('/etc/*', 0o644, 'x')];
const BROKEN = fail('E_FILE', { path: '/x', what: 'no space' });
const STOPPED = fail('E_CANCELLED', { signal: 'SIGINT' });
const write = (host: Host, path: string, text: string) =>
  host.apply({ kind: 'file', path, content: Buffer.from(text), mode: 0o644, secret: false }, SIGNAL);

interface UndoneStep extends MadeStep {
  /** What leaves the machine is taken back by this. */
  undo?: (ports: Ports, input: unknown) => Promise<void>;
}
const planWith = (...steps: UndoneStep[]): Plan => {
  const plan = madePlan(...steps);
  const phases = steps.map(({ undo: back, ...step }) => ({
    ...madePhase(step),
    ...(back === undefined ? {} : { undo: back }),
  }));
  return { ...plan, steps: plan.steps.map((step, index) => ({ ...step, phase: phases[index] ?? step.phase })) };
};

/** A machine with a run that can be looked at, gone on with and undone, each as if by a process of its own. */
async function machine(...steps: UndoneStep[]) {
  const host = memoryHost({ directories: ['/etc'] });
  const { runs } = await runsOnDisk();
  const plan = planWith(...steps);
  const registry = new Registry();
  for (const { phase } of plan.steps) registry.add(phase);
  const begun = runs.begin(START);
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => void events.push(event);
  return {
    host,
    events,
    begin: (options: Partial<RunOptions> = {}) => run({ plan, host, journal: begun, onEvent, ...options }),
    async resume(options: Partial<RunOptions> = {}) {
      const journal = await runs.open(begun.id);
      await journal.resumed({});
      return run({ plan, host, journal, onEvent, ...options });
    },
    async undo({ skip = [], ...options }: Partial<UndoOptions> & { skip?: string[] } = {}) {
      events.length = 0;
      const journal = await runs.open(begun.id);
      return undo({ plan: undoPlan(journal, registry, skip, host.facts), host, journal, onEvent, ...options });
    },
    open: () => runs.open(begun.id),
    history: () => runs.history(begun.id),
    names: () => host.read<'list'>({ kind: 'list', path: '/etc' }, SIGNAL),
    restored: () => events.flatMap((event) => (event.type === 'step.restored' ? [event.item.outcome] : [])),
  };
}
/** Writes a file of its name, and tells when it is asked to take back what left the machine. */
const step = (id: string, told: string[], needs: string[] = [], more: Partial<UndoneStep> = {}): UndoneStep => ({
  ...{ id, needs, effects: ETC, value: { of: id } },
  run: ({ files }) => files.write(`/etc/${id}`, id, 0o644),
  undo: async ({ files }, input) => {
    const isThere = (await files.stat(`/etc/${id}`)) !== undefined;
    told.push(`${id} ${JSON.stringify(input)}${isThere ? '' : ' without its file'}`);
  },
  ...more,
});
const failing: Partial<UndoneStep> = {
  run: async ({ files }) => {
    await files.write('/etc/bad', 'bad', 0o644);
    throw BROKEN;
  },
};

describe('join undo', () => {
  test('has each phase take back what left the machine, the last first, and then restores the machine', async () => {
    const told: string[] = [];
    const { begin, undo, history, names, events } = await machine(step('a', told), step('b', told, ['a']));
    await begin();
    expect(await names()).toEqual(['a', 'b']);
    const result = await undo();
    expect(told).toEqual(['b {"of":"b"}', 'a {"of":"a"}']);
    expect(result).toMatchObject({ status: 'succeeded', steps: [{ status: 'undone' }, { status: 'undone' }] });
    expect([await names(), (await history()).status]).toEqual([[], 'undone']);
    const types = events.map(({ type, id }) => `${type} ${id}`);
    expect(types.indexOf('step.restored b')).toBeGreaterThan(types.indexOf('step.ended a'));
    expect(types.filter((type) => type.startsWith('step.kept'))).toEqual([]);
  });

  test('asks no phase that has changed nothing', async () => {
    const told: string[] = [];
    const { begin, undo } = await machine(step('a', told), step('b', told, ['a'], { run: () => ({}) }));
    await begin();
    await undo();
    expect(told).toEqual(['a {"of":"a"}']);
  });

  test('gives a phase that failed, or was interrupted, the input that it had', async () => {
    const told: string[] = [];
    let isCut = false;
    const { begin, undo, history } = await machine(
      step('a', told, [], {
        run: () => ({ key: 'canary' }),
        output: { type: 'object', properties: { key: { type: 'string', writeOnly: true } } },
      }),
      step('bad', told, ['a'], {
        value: undefined,
        reads: ['a'],
        input: { type: 'object', properties: { key: { type: 'string', writeOnly: true } } },
        with: {
          kind: 'map',
          entries: [['key', { kind: 'placeholder', expression: { kind: 'output', step: 'a', name: 'key' } }]],
        },
        run: async ({ files }) => {
          await files.write('/etc/bad', 'x', 0o644);
          isCut = true;
          await new Promise(() => undefined); // its process is gone
        },
        undo: async (_, input) => void told.push((input as { key: Secret }).key.reveal()),
      }),
    );
    void begin();
    while (!isCut) await setImmediate();
    expect((await history()).steps.get('bad')?.status).toBe('interrupted');
    expect((await undo()).status).toBe('succeeded');
    expect(told).toEqual(['canary']);
  });

  test('whose phase cannot take back leaves the machine as it is, and goes on with that when it is asked again', async () => {
    const told: string[] = [];
    let error: Error | undefined = fail('E_API_FORBIDDEN', { server: 's', what: 'patch nodes', message: 'no' });
    const { begin, undo, history, names } = await machine(
      step('a', told),
      step('b', told, ['a'], {
        undo: async () => {
          if (error !== undefined) throw error;
          told.push('b');
        },
      }),
      step('c', told, ['b']),
    );
    await begin();
    const first = await undo();
    expect(first).toMatchObject({
      status: 'failed',
      error: { code: 'E_API_FORBIDDEN', step: 'b' },
      steps: [{ status: 'undone' }, { status: 'undo-failed' }, { status: 'undone' }],
    });
    expect(first.steps[1]?.notes.at(-1)?.text).toBe('not undone: s: not allowed to patch nodes (HTTP 403): no');
    expect([told, await names(), (await history()).status]).toEqual([
      ['c {"of":"c"}', 'a {"of":"a"}'],
      ['a', 'b', 'c'],
      'undoing',
    ]);
    error = undefined;
    expect((await undo()).status).toBe('succeeded');
    expect([told, await names(), (await history()).status]).toEqual([
      ['c {"of":"c"}', 'a {"of":"a"}', 'b'],
      [],
      'undone',
    ]);
  });

  test('leaves what a step has done outside the machine where that is asked for, and restores the machine all the same', async () => {
    const told: string[] = [];
    const { begin, undo, names } = await machine(
      step('a', told),
      step('b', told, ['a'], { undo: () => Promise.reject(BROKEN) }),
    );
    await begin();
    const result = await undo({ skip: ['b'] });
    expect([result.status, result.steps.map(({ id }) => id), told, await names()]).toEqual([
      'succeeded',
      ['a'],
      ['a {"of":"a"}'],
      [],
    ]);
  });

  test('says what somebody else has changed since, and leaves the run to be undone', async () => {
    const { host, begin, undo, history, names, restored } = await machine(step('a', []), step('b', [], ['a']));
    const { id } = await begin();
    await write(host, '/etc/a', 'mine');
    const result = await undo();
    expect(result).toMatchObject({
      ...{ id, status: 'failed', error: { code: 'E_UNDO_REFUSED', exitCode: 6, facts: { run: id, steps: ['a'] } } },
      steps: [
        { id: 'a', status: 'undo-failed' },
        { id: 'b', status: 'undone' },
      ],
    });
    expect(result.steps[0]?.notes.at(-1)).toEqual({
      level: 'warn',
      text: '/etc/a is not restored: it is a file of mode 0644 now, and not what the run left',
    });
    expect([restored(), await names(), (await history()).status]).toEqual([['restored', 'refused'], ['a'], 'undoing']);
    expect((await undo({ overwrite: true })).status).toBe('succeeded');
    expect([await names(), (await history()).status]).toEqual([[], 'undone']);
  });

  test('of a run with a phase that is not installed any more: E_PHASE_UNKNOWN', async () => {
    const { begin, open, host } = await machine(step('a', []));
    await begin();
    const journal = await open();
    const error = await joinErrorOf(() => undoPlan(journal, new Registry(), [], host.facts));
    expect(error).toMatchObject({ code: 'E_PHASE_UNKNOWN', facts: { phase: 'a' } });
  });

  test('that is taken back itself changes no journal: what undoing does is not undone', async () => {
    const { begin, undo, history } = await machine(
      step('a', [], [], { undo: ({ files }) => files.write('/etc/farewell', 'x', 0o644) }),
    );
    await begin();
    await undo();
    expect((await history()).changes.map(({ change }) => 'path' in change && change.path)).toEqual(['/etc/a']);
  });
});

describe('join undo that is stopped', () => {
  test('while a phase takes back: leaves the rest, says so, and is gone on with when it is asked again', async () => {
    const stop = new AbortController();
    const told: string[] = [];
    const { begin, undo, history, names } = await machine(
      step('a', told),
      step('b', told, ['a'], {
        undo: async ({ signal }) => {
          told.push('b');
          stop.abort(STOPPED);
          if (told.length === 1)
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      }),
    );
    await begin();
    const first = await undo({ signal: stop.signal });
    expect(first).toMatchObject({
      status: 'cancelled',
      error: { code: 'E_CANCELLED' },
      steps: [{ status: 'succeeded' }, { status: 'undo-failed' }],
    });
    expect([told, await names(), (await history()).status]).toEqual([['b'], ['a', 'b'], 'undoing']);
    expect((await undo()).status).toBe('succeeded');
    expect([told, await names(), (await history()).status]).toEqual([['b', 'b', 'a {"of":"a"}'], [], 'undone']);
  });

  test('while the machine is restored: what was done is done, and the rest is done when it is asked again', async () => {
    const { host, begin, undo, history, names } = await machine(
      step('a', []),
      step('b', [], ['a']),
      step('c', [], ['b']),
    );
    await begin();
    const stop = new AbortController();
    const first = await undo({
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'step.restored' && event.id === 'b') stop.abort(STOPPED);
      },
    });
    expect([first.status, await names(), (await history()).status]).toEqual(['cancelled', ['a'], 'undoing']);
    expect((await undo()).status).toBe('succeeded');
    expect([await names(), (await history()).status, host.changes.at(-1)]).toEqual([
      [],
      'undone',
      { kind: 'remove', path: '/etc/a' },
    ]);
  });
});

describe('what becomes of a run that does not succeed', () => {
  type Way = 'undo' | 'keep' | undefined;
  const KEPT = ['a', 'bad'];
  test.each<[string, Way, Way, string, string, string[]]>([
    ['fails', undefined, undefined, 'failed', 'failed', KEPT],
    ['fails', 'keep', 'undo', 'failed', 'failed', KEPT],
    ['fails', 'undo', undefined, 'failed', 'undone', []],
    ['fails', 'undo', 'keep', 'failed', 'undone', []],
    ['is stopped', undefined, undefined, 'cancelled', 'cancelled', KEPT],
    ['is stopped', 'undo', undefined, 'cancelled', 'undone', []],
    ['is stopped', 'undo', 'keep', 'cancelled', 'cancelled', KEPT],
    ['is stopped', 'keep', 'undo', 'cancelled', 'undone', []],
    ['is stopped', undefined, 'undo', 'cancelled', 'undone', []],
    ['is stopped', undefined, 'keep', 'cancelled', 'cancelled', KEPT],
  ])(
    '%s, on failure %s, on cancel %s: it is %s, its journal %s, and there is %j',
    async (how, onFailure, onCancel, status, journal, there) => {
      const stop = new AbortController();
      const told: string[] = [];
      const { begin, history, names } = await machine(
        step('a', told),
        step('bad', told, ['a'], {
          run: async ({ files, signal }) => {
            await files.write('/etc/bad', 'bad', 0o644);
            if (how === 'fails') throw BROKEN;
            stop.abort(STOPPED);
            signal.throwIfAborted();
          },
        }),
        step('never', told, ['bad']),
      );
      const result = await begin({
        signal: stop.signal,
        ...(onFailure === undefined ? {} : { onFailure }),
        ...(onCancel === undefined ? {} : { onCancel }),
      });
      expect([result.status, (await history()).status, await names()]).toEqual([status, journal, there]);
      expect(result.error).toBe(how === 'fails' ? BROKEN : STOPPED);
      expect(told).toEqual(there.length > 0 ? [] : ['bad {"of":"bad"}', 'a {"of":"a"}']);
      expect(result.steps.map((one) => one.status).at(-1)).toBe('skipped');
    },
  );

  test('stopped a second time, before it is taken back, it is kept', async () => {
    const [stop, keep] = [new AbortController(), new AbortController()];
    const told: string[] = [];
    const { begin, history, names } = await machine(
      step('a', told, [], {
        run: async ({ files }) => {
          await files.write('/etc/a', 'a', 0o644);
          stop.abort(STOPPED);
          keep.abort(STOPPED);
          await setImmediate();
        },
      }),
      step('b', told, ['a']),
    );
    const result = await begin({ onCancel: 'undo', signal: stop.signal, keepSignal: keep.signal });
    expect([result.status, (await history()).status, await names(), told]).toEqual([
      'cancelled',
      'cancelled',
      ['a'],
      [],
    ]);
  });

  test('stopped a second time while it is taken back, the rest is kept, and can be gone on with', async () => {
    const [stop, keep] = [new AbortController(), new AbortController()];
    const told: string[] = [];
    const { begin, undo, history, names } = await machine(
      step('a', told),
      step('b', told, ['a'], {
        run: async ({ files, signal }) => {
          await files.write('/etc/b', 'b', 0o644);
          stop.abort(STOPPED);
          signal.throwIfAborted();
        },
      }),
    );
    const result = await begin({
      ...{ onCancel: 'undo', signal: stop.signal, keepSignal: keep.signal },
      onEvent: (event) => {
        if (event.type === 'step.restored') keep.abort(STOPPED);
      },
    });
    expect([result.status, (await history()).status, await names()]).toEqual(['cancelled', 'undoing', ['a']]);
    expect((await undo()).status).toBe('succeeded');
    expect([await names(), told]).toEqual([[], ['b {"of":"b"}', 'a {"of":"a"}']]); // not told twice
  });

  test('failed, and not everything could be taken back: it says what failed, and the journal is not closed', async () => {
    const { host, begin, undo, history, names } = await machine(
      step('a', []),
      step('bad', [], ['a'], {
        run: async ({ files }) => {
          await files.write('/etc/bad', 'bad', 0o644);
          await write(host, '/etc/a', 'somebody else');
          throw BROKEN;
        },
      }),
    );
    const result = await begin({ onFailure: 'undo' });
    expect(result).toMatchObject({
      status: 'failed',
      error: BROKEN,
      steps: [{ status: 'undo-failed' }, { status: 'undone' }],
    });
    expect([(await history()).status, await names()]).toEqual(['undoing', ['a']]);
    await undo({ overwrite: true });
    expect([(await history()).status, await names()]).toEqual(['undone', []]);
  });
});

describe('a run that went on and is then taken back', () => {
  test('takes back also what earlier processes have done', async () => {
    const told: string[] = [];
    let does: () => unknown = () => Promise.reject(BROKEN);
    const { begin, resume, history, names } = await machine(
      step('a', told),
      step('b', told, ['a'], {
        run: async ({ files }) => {
          await files.write('/etc/b', 'b', 0o644);
          return does();
        },
      }),
      step('bad', told, ['b'], failing),
    );
    await begin();
    does = () => ({});
    const result = await resume({ onFailure: 'undo' });
    expect(told).toEqual(['bad {"of":"bad"}', 'b {"of":"b"}', 'a {"of":"a"}']);
    expect([result.steps.map(({ status }) => status), await names(), (await history()).status]).toEqual([
      Array(3).fill('undone'),
      [],
      'undone',
    ]);
  });

  test('takes back what a step did that it has not come to again', async () => {
    const told: string[] = [];
    const stop = new AbortController();
    let isAgain = false;
    const { begin, resume, history, names } = await machine(
      step('a', told, [], {
        run: async ({ files, signal }) => {
          await files.write('/etc/a', isAgain ? 'again' : 'a', 0o644);
          if (!isAgain) throw BROKEN;
          stop.abort(STOPPED);
          signal.throwIfAborted();
        },
      }),
      step('b', told), // it is begun beside a, and stopped when that fails
    );
    await begin({ maxParallel: 1 });
    expect(told).toEqual([]);
    isAgain = true;
    await resume({ onCancel: 'undo', signal: stop.signal, maxParallel: 1 });
    expect([await names(), (await history()).status]).toEqual([[], 'undone']);
    expect(told).toEqual(['a {"of":"a"}']);
  });

  test('that was undone in part does again what is not done any more', async () => {
    const ran: string[] = [];
    const recorded = (id: string, needs: string[] = []): UndoneStep =>
      step(id, [], needs, {
        run: async ({ files }) => {
          ran.push(id);
          await files.write(`/etc/${id}`, id, 0o644);
        },
      });
    const { host, begin, resume, undo, names, history } = await machine(
      recorded('a'),
      recorded('b', ['a']),
      step('bad', [], ['b'], failing),
    );
    await begin();
    await write(host, '/etc/a', 'mine');
    expect((await undo()).error).toMatchObject({ code: 'E_UNDO_REFUSED' });
    expect(await names()).toEqual(['a']);
    ran.length = 0;
    await resume();
    expect([ran, await names(), (await history()).status]).toEqual([['a', 'b'], ['a', 'b', 'bad'], 'failed']);
  });
});

test('a run and its undo write nothing that is not in the schema of the journal', async () => {
  // Records are checked when they are read, so that reading them back is the proof.
  const { begin, resume, undo, open, history } = await machine(step('a', []), step('bad', [], ['a'], failing));
  await begin({ onCancel: 'undo' });
  await resume();
  await undo();
  const journal: Journal = await open();
  expect(journal.history()).toEqual(await history());
  expect(journal.history().status).toBe('undone');
});
