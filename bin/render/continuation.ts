/** Fits a hint to what became of its run. */
import { type History, isClosed } from '../../engine/journal/history.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { RERUN } from '../../engine/sdk/errors/hints.ts';

/** Changes the words of a hint, or returns them as they are. */
export type HintText = (hint: string) => string;

export const asItIs: HintText = (hint) => hint;

const RERUN_AT_END = new RegExp(`${RERUN}\\.?$`, 'gm');

const withRerun =
  (words: string): HintText =>
  (hint) =>
    hint.replace(RERUN_AT_END, words);

const resuming = (id: string): HintText => withRerun(`run: join resume ${id}`);

/** `join resume` cannot continue a run that is over. */
const afresh = withRerun('start a new run.');

/** A run that can be resumed is resumed. Otherwise the same command starts a new run. */
export const afterRun = (result: RunResult): HintText => (isResumable(result) ? resuming(result.id ?? '') : asItIs);

/** The same for `join resume`, which cannot start a new run. */
export const afterResume = (result: RunResult): HintText => (isResumable(result) ? resuming(result.id ?? '') : afresh);

/** For a run that only its journal knows. */
export const ofHistory = (history: History): HintText => (isClosed(history) ? afresh : resuming(history.start.id));

export const isResumable = ({ id, status, isUndone }: RunResult): boolean =>
  id !== undefined && status !== 'succeeded' && !isUndone;
