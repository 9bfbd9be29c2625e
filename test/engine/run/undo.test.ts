import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { undoPlan } from '../../../engine/run/plan-record.ts';
import { fail, type JoinError, runs, type Secret } from '../../../engine/sdk/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { BROKEN, ETC, STOPPED, step, undoableRun, write } from '../../helpers/undoable-run.ts';

describe('join undo', () => {
  test('each phase undoes its step, the last one first, and then the machine is restored', async () => {
    const undone: string[] = [];
    const { begin, undo, history, names, events } = await undoableRun(step('a', undone), step('b', undone, ['a']));
    await begin();
    expect(await names()).toEqual(['a', 'b']);
    const result = await undo();
    expect(undone).toEqual(['b {"of":"b"}', 'a {"of":"a"}']);
    expect(result).toMatchObject({ status: 'succeeded', steps: [{ status: 'undone' }, { status: 'undone' }] });
    expect([await names(), (await history()).status]).toEqual([[], 'undone']);
    const types = events.map((event) => ('step' in event ? `${event.type} ${event.step}` : event.type));
    expect(types.indexOf('step.restored b')).toBeGreaterThan(types.indexOf('step.ended a'));
    expect(types.filter((type) => type.startsWith('step.kept'))).toEqual([]);
  });

  test('a phase that changed nothing is not asked to undo', async () => {
    const undone: string[] = [];
    const { begin, undo } = await undoableRun(step('a', undone), step('b', undone, ['a'], { run: () => ({}) }));
    await begin();
    await undo();
    expect(undone).toEqual(['a {"of":"a"}']);
  });

  test('a phase that failed or was interrupted undoes with the input that it had', async () => {
    const undone: string[] = [];
    let isCut = false;
    const { begin, undo, history } = await undoableRun(
      step('a', undone, [], {
        run: () => ({ key: 'canary' }),
        output: { type: 'object', properties: { key: { type: 'string', writeOnly: true } } },
      }),
      step('bad', undone, ['a'], {
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
        undo: async (_, input) => void undone.push((input as { key: Secret }).key.reveal()),
      }),
    );
    void begin();
    while (!isCut) await setImmediate();
    expect((await history()).steps.get('bad')?.status).toBe('interrupted');
    expect((await undo()).status).toBe('succeeded');
    expect(undone).toEqual(['canary']);
  });

  test('if a phase cannot undo its step, the machine stays as it is until the undo is repeated', async () => {
    const undone: string[] = [];
    let error: Error | undefined = fail('E_API_FORBIDDEN', { server: 's', what: 'patch nodes', message: 'no' });
    const { begin, undo, history, names } = await undoableRun(
      step('a', undone),
      step('b', undone, ['a'], {
        undo: async () => {
          if (error !== undefined) throw error;
          undone.push('b');
        },
      }),
      step('c', undone, ['b']),
    );
    await begin();
    const first = await undo();
    expect(first).toMatchObject({
      status: 'failed',
      error: { code: 'E_UNDO_FAILED', facts: { steps: [{ id: 'b' }] }, cause: { code: 'E_API_FORBIDDEN', step: 'b' } },
      steps: [{ status: 'undone' }, { status: 'undo-failed' }, { status: 'undone' }],
    });
    expect(first.steps[1]?.notes.at(-1)?.text).toBe('not undone: s: not allowed to patch nodes (HTTP 403): no');
    expect([undone, await names(), (await history()).status]).toEqual([
      ['c {"of":"c"}', 'a {"of":"a"}'],
      ['a', 'b', 'c'],
      'undoing',
    ]);
    error = undefined;
    expect((await undo()).status).toBe('succeeded');
    expect([undone, await names(), (await history()).status]).toEqual([
      ['c {"of":"c"}', 'a {"of":"a"}', 'b'],
      [],
      'undone',
    ]);
  });

  test('a skipped step keeps what it changed outside the machine, and the machine is still restored', async () => {
    const undone: string[] = [];
    const { begin, undo, names } = await undoableRun(
      step('a', undone),
      step('b', undone, ['a'], { undo: () => Promise.reject(BROKEN) }),
    );
    await begin();
    const result = await undo({ skip: ['b'] });
    expect([result.status, result.steps.map(({ id }) => id), undone, await names()]).toEqual([
      'succeeded',
      ['a'],
      ['a {"of":"a"}'],
      [],
    ]);
  });

  test('a skipped step whose undo command fails keeps what the command did, and the run is undone', async () => {
    const { host, begin, undo, history, names, restored } = await undoableRun(
      step('a', [], [], {
        effects: [...ETC, runs('mount', 'x'), runs('umount', 'x')],
        run: async ({ files, commands }) => {
          await files.write('/etc/a', 'a', 0o644);
          await commands.run(['mount', '/x'], { undo: ['umount', '/x'] });
        },
        undo: async () => undefined,
      }),
    );
    const apply = host.apply.bind(host);
    host.apply = async (change, signal) => {
      if (change.kind === 'command' && change.argv[0] === 'umount')
        throw fail('E_COMMAND_FAILED', { command: 'umount /x', exitCode: 127, output: 'no umount on PATH' });
      return apply(change, signal);
    };
    await begin();
    const { id = '', error } = await undo();
    expect(error).toMatchObject({ code: 'E_UNDO_FAILED', exitCode: 6, message: expect.stringContaining('umount /x') });
    expect((error as JoinError).hint).toContain(`join undo ${id} --skip a`);
    expect([await names(), (await history()).status]).toEqual([[], 'undoing']);
    const skipped = await undo({ skip: ['a'] });
    expect([skipped.status, restored(), skipped.changes]).toEqual([
      'succeeded',
      ['stays'],
      { made: 2, undone: 1, kept: 1 },
    ]);
    expect((await history()).status).toBe('undone');
  });

  test('a skipped step keeps a file that others have changed since, and the run is undone', async () => {
    const { host, begin, undo, history, names } = await undoableRun(step('a', []), step('b', [], ['a']));
    await begin();
    await write(host, '/etc/a', 'mine');
    expect((await undo({ skip: ['a'] })).changes).toEqual({ made: 2, undone: 1, kept: 1 });
    expect([await names(), (await history()).status]).toEqual([['a'], 'undone']);
  });

  test('a file that others have changed since is reported, and the run can still be undone', async () => {
    const { host, begin, undo, history, names, restored } = await undoableRun(step('a', []), step('b', [], ['a']));
    const { id } = await begin();
    await write(host, '/etc/a', 'mine');
    const result = await undo();
    expect(result).toMatchObject({
      id,
      status: 'failed',
      error: { code: 'E_UNDO_REFUSED', exitCode: 6, facts: { run: id, steps: ['a'] } },
      steps: [
        { id: 'a', status: 'undo-failed' },
        { id: 'b', status: 'undone' },
      ],
    });
    expect(result.steps[0]?.notes.at(-1)).toEqual({
      level: 'warn',
      text: '/etc/a is not restored: it has changed since the run: it is now a file of mode 0644',
    });
    expect([restored(), await names(), (await history()).status]).toEqual([['restored', 'refused'], ['a'], 'undoing']);
    expect((await undo({ overwrite: true })).status).toBe('succeeded');
    expect([await names(), (await history()).status]).toEqual([[], 'undone']);
  });

  test('the undo of a run whose phase is no longer installed fails with E_PHASE_UNKNOWN', async () => {
    const { begin, open, host } = await undoableRun(step('a', []));
    await begin();
    const journal = await open();
    const error = await joinErrorOf(() => undoPlan(journal, new Registry(), [], host.facts));
    expect(error).toMatchObject({ code: 'E_PHASE_UNKNOWN', facts: { phase: 'a' } });
  });

  test('the changes of an undo are not recorded, so that they are not undone', async () => {
    const { begin, undo, history } = await undoableRun(
      step('a', [], [], { undo: ({ files }) => files.write('/etc/farewell', 'x', 0o644) }),
    );
    await begin();
    await undo();
    expect((await history()).changes.map(({ change }) => 'path' in change && change.path)).toEqual(['/etc/a']);
  });
});

describe('a stopped undo', () => {
  test('an undo that is stopped in a phase leaves the rest, reports that, and can be repeated', async () => {
    const stop = new AbortController();
    const undone: string[] = [];
    const { begin, undo, history, names } = await undoableRun(
      step('a', undone),
      step('b', undone, ['a'], {
        undo: async ({ signal }) => {
          undone.push('b');
          stop.abort(STOPPED);
          if (undone.length === 1)
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
    expect([undone, await names(), (await history()).status]).toEqual([['b'], ['a', 'b'], 'undoing']);
    expect((await undo()).status).toBe('succeeded');
    expect([undone, await names(), (await history()).status]).toEqual([['b', 'b', 'a {"of":"a"}'], [], 'undone']);
  });

  test('an undo that is stopped while the machine is restored can be repeated for the rest', async () => {
    const { host, begin, undo, history, names } = await undoableRun(
      step('a', []),
      step('b', [], ['a']),
      step('c', [], ['b']),
    );
    await begin();
    const stop = new AbortController();
    const first = await undo({
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'step.restored' && event.step === 'b') stop.abort(STOPPED);
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
