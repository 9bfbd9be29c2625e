/** Rehearses an undo on the recording host: the same phases, rules and reads, and nothing changes. */
import type { Host } from '../../engine/host/host.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import { undo } from '../../engine/run/run.ts';
import { fail } from '../../engine/sdk/index.ts';
import type { MachineSession } from '../compose.ts';
import { type WatchOptions, type WatchResult, watch } from './watch.ts';

export interface UndoRehearsal extends Pick<WatchOptions, 'output' | 'hint'> {
  plan: Plan;
  /** A copy, of which nothing is written. */
  journal: Journal;
  overwrite: boolean;
  skip: readonly string[];
}

/** The session must be one of a dry run. Prints no progress, which would look like a real undo. */
export const rehearseUndo = (
  { host }: MachineSession,
  { plan, journal, overwrite, skip, ...options }: UndoRehearsal,
): Promise<WatchResult> =>
  watch({ ...options, isQuiet: true, log: undefined }, ({ ask: _, ...watched }) =>
    undo({ plan, host: withoutMissingPrograms(host), journal, overwrite, skip, ...watched }),
  );

/** A dry run starts no program, so it would not notice that the program of an undo is missing. */
function withoutMissingPrograms(host: Host): Host {
  return {
    ...host,
    async apply(change, signal) {
      if (change.kind === 'command') await requireProgram(host, change.argv, signal);
      return host.apply(change, signal);
    },
  };
}

/** E_COMMAND_FAILED, as from the command itself. */
async function requireProgram(host: Host, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const [program = ''] = argv;
  const found = program.startsWith('/')
    ? await host.read({ kind: 'stat', path: program }, signal)
    : await host.read({ kind: 'program', name: program }, signal);
  if (found === undefined) throw fail('E_COMMAND_FAILED', { command: argv.join(' '), output: `no ${program} on PATH` });
}
