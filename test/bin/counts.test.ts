/** What the result of a run states, compared with its journal. */
import { expect, test } from 'vitest';
import { jsonText, resultDocument } from '../../bin/render/json.ts';
import { resultText } from '../../bin/render/text.ts';
import { BROKEN, planWith, STOPPED, step, undoableRun, write } from '../helpers/undoable-run.ts';

const counted = /: (\d+ changes?.*|no changes .*)\.$/m;

/** A run that fails at its second step, and whose second attempt is cancelled there. */
async function cancelledResume(beforeUndo: () => Promise<void> = async () => undefined) {
  const stop = new AbortController();
  let isSecond = false;
  const steps = [
    step('a', []),
    step('b', [], ['a'], {
      run: async ({ files, signal }) => {
        if (!isSecond) throw BROKEN;
        await files.write('/etc/b', 'b', 0o644);
        await beforeUndo();
        stop.abort(STOPPED);
        signal.throwIfAborted();
      },
    }),
  ];
  const run = await undoableRun(...steps);
  const first = await run.begin();
  isSecond = true;
  const resume = () => run.resume({ signal: stop.signal, onCancel: 'undo' });
  return { ...run, plan: planWith(...steps), first, resume };
}

test('a resumed run that is cancelled and undone reports the changes of both processes as undone', async () => {
  const { plan, first, resume, history } = await cancelledResume();
  expect(counted.exec(resultText(first, plan))?.[1]).toBe('1 change, kept');
  const result = await resume();
  const text = resultText(result, plan);
  expect(counted.exec(text)?.[1]).toBe('2 changes, undone');
  expect(text).not.toContain('join resume');
  expect([(await history()).status, result.isUndone]).toEqual(['undone', true]);
  expect(JSON.parse(jsonText(resultDocument(result, { plan })))).toMatchObject({
    undone: true,
    changes: { made: 2, undone: 2, kept: 0 },
  });
});

test('a cancelled run whose undo is refused reports both errors, and how many changes are left', async () => {
  const scene: Awaited<ReturnType<typeof cancelledResume>> = await cancelledResume(() =>
    write(scene.host, '/etc/a', 'mine'),
  );
  const { id: run, plan, resume } = { ...scene, id: (await scene.open()).id };
  const result = await resume();
  expect(counted.exec(resultText(result, plan))?.[1]).toBe('2 changes: 1 undone, 1 not undone');
  expect(result).toMatchObject({
    status: 'cancelled',
    isUndone: false,
    error: { code: 'E_CANCELLED' },
    undoError: { code: 'E_UNDO_REFUSED', facts: { run, steps: ['a'] } },
  });
  expect(resultText(result, plan)).toContain(`To undo:   join undo ${run}`);
});

test('the result of a step that may fail includes its error', async () => {
  const steps = [step('a', [], [], { run: () => Promise.reject(BROKEN) })];
  const { begin } = await undoableRun(...steps);
  const plan = planWith(...steps);
  const result = await begin();
  const allowed = { ...result, steps: result.steps.map((each) => ({ ...each, status: 'failed-allowed' as const })) };
  expect(resultText(allowed, plan)).toContain(`! a failed, which the pipeline allows: E_FILE: ${BROKEN.message}`);
});
