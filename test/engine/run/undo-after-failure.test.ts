import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Journal } from '../../../engine/journal/journal.ts';
import {
  BROKEN,
  failingStep,
  STOPPED,
  step,
  type UndoableStep,
  undoableRun,
  write,
} from '../../helpers/undoable-run.ts';

describe('a run that does not succeed', () => {
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
      const undone: string[] = [];
      const { begin, history, names } = await undoableRun(
        step('a', undone),
        step('bad', undone, ['a'], {
          run: async ({ files, signal }) => {
            await files.write('/etc/bad', 'bad', 0o644);
            if (how === 'fails') throw BROKEN;
            stop.abort(STOPPED);
            signal.throwIfAborted();
          },
        }),
        step('never', undone, ['bad']),
      );
      const result = await begin({
        signal: stop.signal,
        ...(onFailure === undefined ? {} : { onFailure }),
        ...(onCancel === undefined ? {} : { onCancel }),
      });
      expect([result.status, (await history()).status, await names()]).toEqual([status, journal, there]);
      expect(result.error).toBe(how === 'fails' ? BROKEN : STOPPED);
      expect(undone).toEqual(there.length > 0 ? [] : ['bad {"of":"bad"}', 'a {"of":"a"}']);
      expect(result.steps.map((one) => one.status).at(-1)).toBe('skipped');
    },
  );

  test('a second cancellation before the undo keeps the run', async () => {
    const [stop, keep] = [new AbortController(), new AbortController()];
    const undone: string[] = [];
    const { begin, history, names } = await undoableRun(
      step('a', undone, [], {
        run: async ({ files }) => {
          await files.write('/etc/a', 'a', 0o644);
          stop.abort(STOPPED);
          keep.abort(STOPPED);
          await setImmediate();
        },
      }),
      step('b', undone, ['a']),
    );
    const result = await begin({ onCancel: 'undo', signal: stop.signal, keepSignal: keep.signal });
    expect([result.status, (await history()).status, await names(), undone]).toEqual([
      'cancelled',
      'cancelled',
      ['a'],
      [],
    ]);
  });

  test('a second cancellation during the undo keeps the rest, and the run can be resumed', async () => {
    const [stop, keep] = [new AbortController(), new AbortController()];
    const undone: string[] = [];
    const { begin, undo, history, names } = await undoableRun(
      step('a', undone),
      step('b', undone, ['a'], {
        run: async ({ files, signal }) => {
          await files.write('/etc/b', 'b', 0o644);
          stop.abort(STOPPED);
          signal.throwIfAborted();
        },
      }),
    );
    const result = await begin({
      onCancel: 'undo',
      signal: stop.signal,
      keepSignal: keep.signal,
      onEvent: (event) => {
        if (event.type === 'step.restored') keep.abort(STOPPED);
      },
    });
    expect([result.status, (await history()).status, await names()]).toEqual(['cancelled', 'undoing', ['a']]);
    expect((await undo()).status).toBe('succeeded');
    expect([await names(), undone]).toEqual([[], ['b {"of":"b"}', 'a {"of":"a"}']]); // not undone twice
  });

  test('a failed run that cannot be undone completely reports what failed, and its journal stays open', async () => {
    const { host, begin, undo, history, names } = await undoableRun(
      step('a', []),
      step('bad', [], ['a'], {
        run: async ({ files }) => {
          await files.write('/etc/bad', 'bad', 0o644);
          await write(host, '/etc/a', 'another program');
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

describe('the undo of a resumed run', () => {
  test('an undo includes the changes of earlier processes', async () => {
    const undone: string[] = [];
    let does: () => unknown = () => Promise.reject(BROKEN);
    const { begin, resume, history, names } = await undoableRun(
      step('a', undone),
      step('b', undone, ['a'], {
        run: async ({ files }) => {
          await files.write('/etc/b', 'b', 0o644);
          return does();
        },
      }),
      step('bad', undone, ['b'], failingStep),
    );
    await begin();
    does = () => ({});
    const result = await resume({ onFailure: 'undo' });
    expect(undone).toEqual(['bad {"of":"bad"}', 'b {"of":"b"}', 'a {"of":"a"}']);
    expect([result.steps.map(({ status }) => status), await names(), (await history()).status]).toEqual([
      Array(3).fill('undone'),
      [],
      'undone',
    ]);
  });

  test('an undo includes a step that the resumed run has not reached again', async () => {
    const undone: string[] = [];
    const stop = new AbortController();
    let isAgain = false;
    const { begin, resume, history, names } = await undoableRun(
      step('a', undone, [], {
        run: async ({ files, signal }) => {
          await files.write('/etc/a', isAgain ? 'again' : 'a', 0o644);
          if (!isAgain) throw BROKEN;
          stop.abort(STOPPED);
          signal.throwIfAborted();
        },
      }),
      step('b', undone), // it is begun beside a, and stopped when that fails
    );
    await begin({ maxParallel: 1 });
    expect(undone).toEqual([]);
    isAgain = true;
    await resume({ onCancel: 'undo', signal: stop.signal, maxParallel: 1 });
    expect([await names(), (await history()).status]).toEqual([[], 'undone']);
    expect(undone).toEqual(['a {"of":"a"}']);
  });

  test('a run that was undone in part runs the undone steps again', async () => {
    const ran: string[] = [];
    const recorded = (id: string, needs: string[] = []): UndoableStep =>
      step(id, [], needs, {
        run: async ({ files }) => {
          ran.push(id);
          await files.write(`/etc/${id}`, id, 0o644);
        },
      });
    const { host, begin, resume, undo, names, history } = await undoableRun(
      recorded('a'),
      recorded('b', ['a']),
      step('bad', [], ['b'], failingStep),
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

test('a run and its undo only write records that match the schema of the journal', async () => {
  // Records are checked when they are read, so that reading them back is the proof.
  const { begin, resume, undo, open, history } = await undoableRun(step('a', []), step('bad', [], ['a'], failingStep));
  await begin({ onCancel: 'undo' });
  await resume();
  await undo();
  const journal: Journal = await open();
  expect(journal.history()).toEqual(await history());
  expect(journal.history().status).toBe('undone');
});
