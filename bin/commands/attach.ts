/** `join attach`: follows a run that another process executes. It takes no lock, because the run holds it. */
import { Args, Flags } from '@oclif/core';
import { type EventError, fail, JoinError, type RunEvent } from '../../engine/sdk/index.ts';
import { JoinCommand } from '../command.ts';
import type { MachineSession } from '../compose.ts';
import { runFlags } from '../inputs/common-flags.ts';
import { askForApproval, isInteractive } from '../inputs/terminal.ts';
import { asItIs, ofHistory } from '../render/continuation.ts';
import { endedText, type Progress } from '../render/event-lines.ts';
import { progress } from '../render/progress.ts';
import { follow } from '../runs/follow.ts';
import { jsonLines } from '../runs/watch.ts';

export class Attach extends JoinCommand {
  static override summary = 'Follow a run that is in progress, or show the events of an earlier one';
  static override description = [
    'At a terminal, it also asks for the approvals that the run waits for. Ctrl-C ends the command, but not the run.',
    'The exit code is that of the run.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> attach',
    '<%= config.bin %> attach 20261124-10 --from 42 --output jsonl',
  ];
  static override flags = {
    from: Flags.integer({ default: 1, min: 1, helpValue: 'SEQ', description: 'Number of the first event (default 1)' }),
    root: runFlags.root,
    output: Flags.option({
      char: 'o',
      options: ['text', 'jsonl'] as const,
      default: 'text',
      description: 'Progress as text, or each event as a line of JSON (default text)',
    })(),
  };
  static override args = {
    id: Args.string({
      ignoreStdin: true,
      description: 'Run ID, or a unique prefix (default: the run in progress, or else the last one)',
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Attach);
    const session = await this.app.openMachine({ root: flags.root });
    try {
      const run = await runToFollow(session, args.id);
      const isInProgress = async () => (await session.holder())?.run === run;
      const view =
        flags.output === 'jsonl' ? jsonLines(process.stdout) : await progress(process.stderr, { hint: this.hint });
      const questions = new Questions(session, view);
      const leave = () => {
        view.end();
        process.stderr.write(`The run is not affected. To follow it again: ${this.hint(`join attach ${run}`)}\n`);
        process.exit(0);
      };
      process.on('SIGINT', leave);
      const last = await follow({
        runs: session.runs,
        run,
        isInProgress,
        onEvent(event) {
          questions.note(event);
          if (event.seq >= flags.from) view.onEvent(event as Parameters<Progress['onEvent']>[0]);
        },
        onIdle: () => questions.ask(),
      }).finally(() => questions.close());
      process.off('SIGINT', leave);
      view.end();
      if (last?.type !== 'run.ended') throw fail('E_RUN_INTERRUPTED', { run });
      if (flags.output === 'text') this.show(endedText(last));
      if (last.error !== undefined) await this.#endLike(last.error, session, run);
    } finally {
      await session.close();
    }
  }

  /** Prints the error of the run, with the command that continues it, and exits with its code. */
  async #endLike(about: EventError, { runs }: MachineSession, run: string): Promise<void> {
    const error = JoinError.own({ ...about, code: about.code as `E_${string}` });
    const isRecorded = (await runs.ids()).includes(run);
    const fitted = isRecorded ? ofHistory(await runs.history(run)) : asItIs;
    this.printError(error, (text) => this.hint(fitted(text)));
    this.exitWith(error);
  }
}

/** A run that has not changed anything is not in the list of runs. */
async function runToFollow({ runs, holder }: MachineSession, given: string | undefined): Promise<string> {
  const running = (await holder())?.run;
  if (running?.startsWith(given ?? '')) return running;
  if (given !== undefined && (await runs.hasEvents(given))) return given;
  return runs.find(given, () => true, 'attach to');
}

/** The approvals that the run waits for. */
class Questions {
  readonly #session: MachineSession;
  readonly #view: Progress;
  readonly #open = new Map<string, Extract<RunEvent, { type: 'step.asked' }>>();
  #asked: { step: string; stop: AbortController } | undefined;

  constructor(session: MachineSession, view: Progress) {
    this.#session = session;
    this.#view = view;
  }

  note(event: RunEvent): void {
    if (event.type === 'step.asked') this.#open.set(event.step, event);
    else if (event.type === 'step.answered' || event.type === 'step.ended') this.#over(event.step);
    else if (event.type === 'run.started' || event.type === 'run.ended')
      for (const step of this.#open.keys()) this.#over(step);
  }

  #over(step: string): void {
    this.#open.delete(step);
    if (this.#asked?.step === step) this.close();
  }

  /** Asks one question at a time. */
  ask(): void {
    const [question] = this.#open.values();
    if (question === undefined || this.#asked !== undefined || !isInteractive()) return;
    const { run, step, message, until, path } = question;
    const stop = new AbortController();
    const resume = this.#view.pause();
    this.#asked = { step, stop };
    askForApproval({ run, step, message, until: new Date(until), path }, stop.signal)
      .then(({ decision, by, reason }) => this.#session.runs.answer(run, step, { decision, by, reason }))
      .catch(() => undefined) // the question was answered in another way, or the run has ended
      .finally(resume);
  }

  close(): void {
    this.#asked?.stop.abort(new Error('the question is answered'));
    this.#asked = undefined;
  }
}
