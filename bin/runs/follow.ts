/** Reads the events of a run while another process writes them. */
import type { Runs } from '../../engine/journal/runs.ts';
import { sleep } from '../../engine/limits/timers.ts';
import type { RunEvent } from '../../engine/sdk/index.ts';

const POLL_MS = 250;
/** Asking who holds the lock costs a process. */
const CHECK_MS = 5_000;

export interface FollowOptions {
  runs: Pick<Runs, 'readEvents'>;
  run: string;
  isInProgress: () => Promise<boolean>;
  onEvent: (event: RunEvent) => void;
  /** Called when all events so far have been read. */
  onIdle: () => void;
}

/** Resolves to the last event when the run is no longer in progress. Undefined if the run has no events. */
export async function follow({ runs, run, isInProgress, onEvent, onIdle }: FollowOptions) {
  let offset = 0;
  let last: RunEvent | undefined;
  let isOver = false;
  let checkAt = 0;
  for (;;) {
    const read = await runs.readEvents(run, offset);
    for (const event of read?.events ?? []) {
      onEvent(event);
      last = event;
    }
    offset = read?.offset ?? offset;
    if (read !== undefined && read.events.length > 0) continue;
    if (isOver) return last;
    onIdle();
    if (last === undefined || last.type === 'run.ended' || performance.now() > checkAt) {
      isOver = !(await isInProgress()); // its last events may have come meanwhile
      checkAt = performance.now() + CHECK_MS;
    }
    if (!isOver) await sleep(POLL_MS);
  }
}
