/**
 * Every pause and every time limit. Node's own timers fire at once if their delay is longer than 2^31 - 1 ms, so no
 * other code may start one: if a server asked for a pause of a month, the next request would follow without a pause.
 */
import { setTimeout as nodeSleep } from 'node:timers/promises';

/** The longest delay of a Node timer, about 24.8 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface Timer {
  cancel(): void;
}

/** Calls `act` after `ms`, which may be any length. */
export function startTimer(ms: number, act: () => void): Timer {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const next = leftMs > TIMER_MS_MAX ? () => arm(leftMs - TIMER_MS_MAX) : act;
    timer = setTimeout(next, Math.min(leftMs, TIMER_MS_MAX));
  };
  arm(ms);
  return { cancel: () => clearTimeout(timer) };
}

/** Resolves after `ms`, which may be any length. Rejects when `signal` is aborted. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  for (let leftMs = ms; ; leftMs -= TIMER_MS_MAX) {
    await nodeSleep(Math.min(leftMs, TIMER_MS_MAX), undefined, signal === undefined ? {} : { signal });
    if (leftMs <= TIMER_MS_MAX) return;
  }
}

/** A signal that is aborted after `ms`, at most 24.8 days. It does not keep the process alive. */
export const signalAfter = (ms: number): AbortSignal => AbortSignal.timeout(Math.min(ms, TIMER_MS_MAX));
