/** The status of a rollout in the operator's folder, for `join fleet status` without an operator. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTimer, type Timer } from '../limits/timers.ts';
import { FailedRuns } from './failed-runs.ts';
import type { LiveBoard } from './live-board.ts';
import type { FleetStatus } from './status.ts';

const NAME = 'status.json';
/** The file is written at most as often. */
const PAUSE_MS = 1_000;

export class StatusFile {
  readonly #path: string;
  readonly #board: LiveBoard;
  readonly #unsubscribe: () => void;
  readonly #failed: FailedRuns;
  #timer: Timer | undefined;

  constructor(folder: string, board: LiveBoard) {
    this.#path = join(folder, NAME);
    this.#board = board;
    this.#failed = new FailedRuns(folder);
    this.#unsubscribe = board.onChange(() => this.#changed());
  }

  #changed(): void {
    this.#timer ??= startTimer(PAUSE_MS, () => {
      this.#timer = undefined;
      if (this.#board.isKnown) this.write(this.#board.status());
    });
  }

  /** Without what only a running operator knows. */
  write({ concurrency: _, ...status }: FleetStatus): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(status), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    this.#failed.update({ status: () => status, eventsOf: (host) => this.#board.eventsOf(host) });
  }

  close(): void {
    this.#unsubscribe();
    this.#timer?.cancel();
  }
}

/** Undefined if the fleet has had no rollout. */
export function readStatus(folder: string): FleetStatus | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as FleetStatus;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
