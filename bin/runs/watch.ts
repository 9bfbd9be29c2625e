/** Watches a run: shows its progress, asks its questions, and stops it when a signal arrives. */
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { Ask } from '../../engine/run/approval.ts';
import type { RunEvent, RunResult } from '../../engine/run/run.ts';
import { EXIT, fail } from '../../engine/sdk/index.ts';
import { askForApproval } from '../inputs/terminal.ts';
import { progress } from '../render/progress.ts';

/** What `watch` passes to a run. */
export interface WatchedRun {
  onEvent(event: RunEvent): void;
  /** Aborted by the first signal, to cancel the run. */
  signal: AbortSignal;
  /** Aborted by the second signal, to leave everything as it is. */
  keepSignal: AbortSignal;
  /** Asks at the terminal. */
  ask: Ask;
}

export interface WatchResult {
  result: RunResult;
  /** What was undone, and what could not be. */
  items: readonly UndoItem[];
}

/** Calls `act`, which runs or undoes `plan`. A third signal ends the process. A lost terminal does not. */
export async function watch(plan: Plan, act: (watched: WatchedRun) => Promise<RunResult>): Promise<WatchResult> {
  const [cancelled, kept] = [new AbortController(), new AbortController()];
  const stop = (signal: NodeJS.Signals) => {
    if (kept.signal.aborted) process.exit(signal === 'SIGTERM' ? EXIT.terminated : EXIT.cancelled);
    (cancelled.signal.aborted ? kept : cancelled).abort(fail('E_CANCELLED', { signal }));
  };
  const goOn = () => undefined;
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', goOn);
  try {
    const shown = await progress(plan, process.stderr);
    const items: UndoItem[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === 'step.restored') items.push(event.item);
      shown.onEvent(event);
    };
    const ask = oneByOne(() => shown.pause());
    const result = await act({ onEvent, signal: cancelled.signal, keepSignal: kept.signal, ask });
    shown.end();
    return { result, items };
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', goOn);
  }
}

/** Asks one question after the other; `pause` stops the progress from being drawn over it. */
function oneByOne(pause: () => () => void): Ask {
  let last: Promise<unknown> = Promise.resolve();
  return (question, signal) => {
    const next = last.then(async () => {
      signal.throwIfAborted();
      const unpause = pause();
      return askForApproval(question, signal).finally(unpause);
    });
    last = next.catch(() => undefined);
    return next;
  };
}
