/** For the process that `startDetached` starts. */
import type { RunEvent } from '../../engine/run/run.ts';

/** The variable by which a process knows that it was started by `startDetached`. */
export const DETACHED = 'JOIN_DETACHED';

/** Whether `startDetached` started this process, and its run has not started yet. */
export const isDetached = (): boolean => process.env[DETACHED] !== undefined;

/** Tells the process that started this one with `startDetached`, if any, that the run has started. */
export function reportStart(event: RunEvent): void {
  if (event.type !== 'run.started' || !isDetached()) return;
  delete process.env[DETACHED]; // programs that the run starts are not concerned
  if (process.connected) process.send?.(event, () => process.disconnect());
}
