/** Reports: what happened, as one HTML file that loads nothing. */
import type { FleetStatus, HostStatus } from '../../engine/fleet/status.ts';
import type { RunEvent } from '../../engine/sdk/index.ts';
import type { Assets } from '../assets.ts';
import type { HintText } from '../render/continuation.ts';
import { pageFiles, reportPage } from './html.ts';
import { runView } from './run-view.ts';
import type { RunView } from './view.ts';

/** The runs of failed hosts make most of a report, so it has no more than these. */
const RUNS_MAX = 100;

/** A rollout, with the runs of the hosts that failed. */
export function rolloutReport(status: FleetStatus, eventsOf: (host: HostStatus) => RunEvent[], assets: Assets): string {
  const failed = status.hosts.filter(({ state }) => state === 'failed').slice(0, RUNS_MAX);
  const runs = failed.flatMap((host): [string, RunView][] => {
    const view = runView(eventsOf(host));
    return view === undefined ? [] : [[host.name, view]];
  });
  const at = new Date().toISOString();
  const title = `${status.fleet}: ${status.rollout}`;
  return reportPage(title, { kind: 'rollout', at, status, runs: Object.fromEntries(runs) }, pageFiles(assets));
}

/** One run of this machine. Undefined if the run has no events. */
export function runReport(events: readonly RunEvent[], assets: Assets, hint: HintText): string | undefined {
  const run = runView(events, hint);
  if (run === undefined) return undefined;
  return reportPage(
    `${run.machine}: ${run.run}`,
    { kind: 'run', at: new Date().toISOString(), run },
    pageFiles(assets),
  );
}
