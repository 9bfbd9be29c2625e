/** The events of failed hosts in the operator's folder, for reports that are made when the operator has ended. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../sdk/events.ts';
import type { FleetBoard } from './board.ts';
import type { HostStatus } from './status.ts';

const NAME = 'failed-runs.json';
/** More do not help, and each may have hundreds of events. */
const RUNS_MAX = 100;

type Runs = Record<string, RunEvent[]>;

export class FailedRuns {
  readonly #folder: string;
  #runs: Runs;
  #written: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#runs = readRuns(folder);
  }

  /** Writes the file if other hosts have failed since the last time. */
  update(board: Pick<FleetBoard, 'status' | 'eventsOf'>): void {
    const failed = board
      .status()
      .hosts.filter(({ state }) => state === 'failed')
      .slice(0, RUNS_MAX);
    const key = failed.map(({ name, run }) => `${name} ${run}`).join();
    if (key === this.#written) return;
    this.#written = key;
    this.#runs = Object.fromEntries(
      failed.flatMap((host) => {
        const events = [board.eventsOf(host.name), this.#runs[host.name]].find((each) => isOf(host, each));
        return events === undefined ? [] : [[host.name, events]];
      }),
    );
    const path = join(this.#folder, NAME);
    writeFileSync(`${path}.new`, JSON.stringify(this.#runs), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

/** A host may have failed in an earlier rollout, too. */
const isOf = ({ run }: HostStatus, events: RunEvent[] | undefined): boolean =>
  run !== undefined && events?.[0]?.run === run;

/** The events of the host's run, if it has failed. */
export function failedRun(folder: string, host: HostStatus): RunEvent[] {
  const events = readRuns(folder)[host.name];
  return isOf(host, events) ? (events ?? []) : [];
}

function readRuns(folder: string): Runs {
  try {
    return JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as Runs;
  } catch {
    return {}; // no host has failed, or the file is damaged: a report then has no runs
  }
}
