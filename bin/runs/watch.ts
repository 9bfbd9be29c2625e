/** Watches a run: shows its progress, asks its questions, and stops it when a signal arrives. */
import { type EventLog, lineOf } from '../../engine/journal/event-log.ts';
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { Ask } from '../../engine/run/approval.ts';
import type { RunEvent, RunResult } from '../../engine/run/run.ts';
import { defined, EXIT, fail } from '../../engine/sdk/index.ts';
import type { OutputFormat } from '../inputs/raw-flags.ts';
import { askForApproval } from '../inputs/terminal.ts';
import { withoutTokens } from '../render/error.ts';
import type { Progress } from '../render/event-lines.ts';
import { escapedJson } from '../render/json.ts';
import { type ProgressOptions, progress } from '../render/progress.ts';
import { isDetached, reportStart } from './detached.ts';
import type { OpenTrace } from './trace.ts';

/** What `watch` passes to a run. */
export interface WatchedRun {
  onEvent(event: RunEvent): void;
  /** The number of the last event of this run so far. */
  lastSeq: number;
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

export interface WatchOptions extends ProgressOptions {
  output: OutputFormat;
  /** Whether progress is not shown. Events are. */
  isQuiet: boolean;
  /** The log of the run's events, which is closed at the end. Absent if the run has no journal. */
  log: EventLog | undefined;
  /** Gets every event (default: none). */
  trace?: OpenTrace | undefined;
}

/**
 * Calls `act`, which runs or undoes a plan. With `jsonl`, its events are lines on standard output. A third signal
 * ends the process.
 */
export async function watch(
  { output, isQuiet, log, trace, hint }: WatchOptions,
  act: (watched: WatchedRun) => Promise<RunResult>,
): Promise<WatchResult> {
  const [cancelled, kept] = [new AbortController(), new AbortController()];
  const stop = (signal: NodeJS.Signals) => {
    if (kept.signal.aborted) process.exit(signal === 'SIGTERM' ? EXIT.terminated : EXIT.cancelled);
    (cancelled.signal.aborted ? kept : cancelled).abort(fail('E_CANCELLED', { signal }));
  };
  const place = isDetached() ? 'background' : 'foreground';
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const shown = await viewFor({ output, isQuiet, hint });
    const items: UndoItem[] = [];
    const onEvent = (event: RunEvent) => {
      log?.append(event); // before anything can show it
      reportStart(event);
      trace?.onEvent(event);
      if (event.type === 'step.restored') items.push(itemOf(event));
      shown.onEvent(event);
    };
    const ask = oneByOne(() => shown.pause());
    const lastSeq = log?.lastSeq ?? 0;
    const result = await act({ onEvent, lastSeq, signal: cancelled.signal, keepSignal: kept.signal, ask });
    shown.end();
    trace?.save();
    return { result, items };
  } finally {
    await log?.close(place);
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** A detached run has no reader: its events are in its log. */
async function viewFor({ output, isQuiet, hint }: Omit<WatchOptions, 'log' | 'trace'>): Promise<Progress> {
  if (isDetached()) return NO_PROGRESS;
  if (output === 'jsonl') return jsonLines(process.stdout);
  return isQuiet ? NO_PROGRESS : progress(process.stderr, { hint });
}

const NO_PROGRESS: Progress = { onEvent: () => undefined, pause: () => () => undefined, end: () => undefined };

/** Each event as a line of JSON. */
export const jsonLines = (stream: NodeJS.WritableStream): Progress => ({
  onEvent: (event) => void stream.write(`${withoutTokens(escapedJson(lineOf(event)))}\n`),
  pause: () => () => undefined,
  end: () => undefined,
});

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

/** Without what every event has. */
const itemOf = ({ step, change, outcome, why, diff }: UndoItem): UndoItem => ({
  step,
  change,
  outcome,
  ...defined({ why, diff }),
});
