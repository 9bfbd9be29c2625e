/** How a run in memory ended. */
import type { RunResult } from '../../engine/run/run.ts';
import { isJoinError } from '../../engine/sdk/index.ts';

export type Mode = 'run' | 'resume' | 'undo';
/** How a run ended. `stopped`: its process stopped at a point and will never continue. */
export type Outcome = {
  status: RunResult['status'] | 'refused' | 'stopped';
  code?: string;
  message?: string;
  where?: string;
  points: number;
};

export interface Points {
  count: number;
  telling: number[];
}
/** The state before the join, and after an undisturbed join. */
export interface Trees {
  before: ReadonlyMap<string, string>;
  after: ReadonlyMap<string, string>;
}

export const wordsOf = (error: unknown) =>
  isJoinError(error)
    ? { code: error.code, message: error.message }
    : { code: 'E_BUG', message: String((error as Error).stack) };
