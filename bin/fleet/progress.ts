/** The progress of a rollout: a few lines that are drawn again and again at a terminal, otherwise one for each host. */
import { createLogUpdate } from 'log-update';
import type { Operator } from '../../engine/fleet/operator.ts';
import type { Begun } from '../../engine/fleet/restate/names.ts';
import type { FleetStatus, HostState } from '../../engine/fleet/status.ts';
import { startTimer, type Timer } from '../../engine/limits/timers.ts';
import { printable } from '../../engine/sdk/index.ts';
import { coloured } from '../render/colour.ts';
import { progressLines } from '../render/fleet-status.ts';
import { escapedJson } from '../render/json.ts';

const PAUSE_MS = 200;

export interface ViewOptions {
  /** `jsonl`: each change of the status is a line of JSON on standard output. */
  format: 'text' | 'json' | 'jsonl';
  isQuiet: boolean;
}

/** At a terminal only: a link in the log of a job would be a secret that others can read. */
export function announceDashboard(link: string): void {
  if (process.stderr.isTTY)
    process.stderr.write(`Dashboard: ${link}\n  (valid once; for another link: join fleet ui)\n`);
}

/** Ends with the returned function. */
export function showRollout(
  { board }: Operator,
  { rollout, isNew }: Begun,
  { format, isQuiet }: ViewOptions,
): () => void {
  const { stderr, stdout } = process;
  if (isQuiet && format !== 'jsonl') return () => undefined;
  if (!isNew && format !== 'jsonl') stderr.write(`Continuing rollout ${rollout}, with the fleet that it began with.\n`);
  const isRedrawn = stderr.isTTY && process.env.CI === undefined;
  const forPeople = isRedrawn ? redrawn : hostLines;
  const show = format === 'jsonl' ? jsonLines(stdout) : forPeople(stderr);
  let timer: Timer | undefined;
  const draw = () => {
    timer = undefined;
    if (board.isKnown) show(board.status());
  };
  const unsubscribe = board.onChange(() => {
    timer ??= startTimer(PAUSE_MS, draw);
  });
  return () => {
    unsubscribe();
    timer?.cancel();
    draw();
  };
}

const jsonLines = (stream: NodeJS.WriteStream) => (status: FleetStatus) =>
  void stream.write(`${escapedJson(JSON.stringify(status))}\n`);

function redrawn(stream: NodeJS.WriteStream): (status: FleetStatus) => void {
  const update = createLogUpdate(stream);
  return (status) => {
    const lines = progressLines(status).slice(0, Math.max(1, stream.rows - 1));
    update(coloured(printable(lines.map((line) => line.slice(0, stream.columns - 1)).join('\n')), stream));
    if (status.endedAt !== undefined) update.done();
  };
}

function hostLines(stream: NodeJS.WriteStream): (status: FleetStatus) => void {
  const seen = new Map<string, HostState>();
  return ({ hosts }) => {
    for (const { name, state, error } of hosts) {
      if (seen.get(name) === state || state === 'waiting' || state === 'joining') continue;
      seen.set(name, state);
      const why = error === undefined ? '' : ` (${error.code}: ${error.message})`;
      stream.write(`${coloured(printable(`${SIGNS[state]} ${name} ${state}${why}`), stream)}\n`);
    }
  };
}

const SIGNS: Record<HostState, string> = {
  waiting: '·',
  joining: '…',
  joined: '✓',
  unchanged: '✓',
  failed: '✗',
  skipped: '-',
  undoing: '…',
  undone: '↶',
};
