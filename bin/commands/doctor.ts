/** `join doctor`: diagnoses this machine and its cluster. */
import type { LockHolder } from '../../engine/host/lock.ts';
import { type History, isClosed, openApprovals } from '../../engine/journal/history.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import type { ExaminedRun } from '../../engine/journal/runs.ts';
import { planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import { errorRecord } from '../../engine/run/error-record.ts';
import { run } from '../../engine/run/run.ts';
import { defined, EXIT } from '../../engine/sdk/index.ts';
import { endsWell } from '../../engine/sdk/step-status.ts';
import { JoinCommand } from '../command.ts';
import { outputFlag, runFlags } from '../inputs/common-flags.ts';
import { ofHistory } from '../render/continuation.ts';
import { diagnosisDocument, diagnosisText, type Finding, isHealthy } from '../render/diagnosis.ts';
import { liveStatus } from '../render/runs.ts';

export class Doctor extends JoinCommand {
  static override summary = 'Diagnose this machine and its cluster, and suggest the next command';
  static override description =
    `Changes nothing, and can run at any time, even during a join. Exits with ${EXIT.machine} if it finds a problem.`;
  static override flags = { root: runFlags.root, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { host, runs, holder, close } = await this.app.openMachine({ root: flags.root });
    try {
      const [id] = await runs.ids();
      const examined = id === undefined ? undefined : await runs.examine(id);
      const last = id === undefined || examined?.error !== undefined ? undefined : await runs.peek(id);
      const running = await holder();
      const inputs = last === undefined ? {} : inputsFrom(last, running);
      const finding = runFinding(examined, running);
      const plan = planOfPhase('doctor', this.app.registry.get('doctor'), inputs, host.facts);
      const result = await run({ plan, host });
      if (result.error !== undefined) throw result.error;
      const outputs = (result.steps[0]?.outputs ?? { findings: [] }) as { findings: Finding[]; node?: object };
      const { findings, node } = outputs;
      const fitting = fittingFindings(findings, { finding, examined, running });
      const all = [finding, ...fitting].map(({ next, ...rest }) => defined({ ...rest, next: next && this.hint(next) }));
      if (flags.output === 'text') this.show(diagnosisText(all));
      else {
        await this.print(diagnosisDocument({ findings: all, run: runOf(examined, running), node }), flags.output);
      }
      process.exitCode = isHealthy(all) ? 0 : EXIT.machine;
    } finally {
      await close();
    }
  }
}

interface LastRun {
  finding: Finding;
  examined: ExaminedRun | undefined;
  running: LockHolder | undefined;
}

function fittingFindings(findings: readonly Finding[], { finding, examined, running }: LastRun): readonly Finding[] {
  if (examined !== undefined && running?.run === examined.id) return findings.map(ofRunInProgress);
  return finding.state === 'problem' && examined?.error === undefined ? findings.map(ofRun) : findings;
}

/** A run in progress continues by itself when its cause is fixed. */
const ofRunInProgress = ({ next, ...finding }: Finding): Finding => ({
  ...finding,
  ...defined({ next: next?.replace(/\bjoin resume$/gm, 'join attach') }),
});

/** A run in progress that has not changed anything yet has no record. */
function runOf(examined: ExaminedRun | undefined, holder: LockHolder | undefined) {
  if (holder?.run !== undefined && holder.run !== examined?.id) return { id: holder.run, status: 'running' } as const;
  if (examined === undefined) return undefined;
  const { id, history, error } = examined;
  const isReadable = history !== undefined && error === undefined;
  return { id, status: isReadable ? liveStatus(history, holder) : ('unreadable' as const) };
}

/** A kubelet that is started by hand would leave the run unfinished: its own command is the next one. */
function ofRun({ next, ...finding }: Finding): Finding {
  return finding.check === 'kubelet' || finding.check === 'node' ? finding : { ...finding, ...defined({ next }) };
}

/** What an unfinished join knows of its cluster, the CSR that it sent, and where it stopped. */
function inputsFrom(journal: Journal, holder: LockHolder | undefined): Record<string, unknown> {
  const history = journal.history();
  const { steps, changes, status, endedAt } = history;
  const progress = progressBeforeKubelet(history, holder);
  const joinedAt = status === 'succeeded' ? endedAt : undefined;
  const discovery = steps.get('discovery')?.outputs;
  if (discovery === undefined) return defined({ progress, joinedAt });
  const { value } = journal.reveal(discovery);
  const request = changes.findLast(
    ({ change }) => change.kind === 'api' && change.resource === 'certificatesigningrequests',
  )?.change;
  const { identity } = value as { identity?: object };
  const csr = request?.kind === 'api' ? request.name : undefined;
  return defined({ progress, joinedAt, identity: identity && defined(identity), csr });
}

/** How far an unfinished run is, if it has not started the kubelet yet. */
function progressBeforeKubelet(history: History, holder: LockHolder | undefined): string | undefined {
  const { start, steps, changes } = history;
  const hasStarted = changes.some(
    ({ change, undone }) =>
      !undone && change.kind === 'service' && change.name === 'kubelet' && change.action === 'start',
  );
  if (isClosed(history) || hasStarted || !start.steps.includes('kubelet-start')) return undefined;
  return `the run ${holder?.run === start.id ? 'is' : 'stopped'} at ${unfinishedStep(steps)}`;
}

const unfinishedStep = (steps: History['steps']): string | undefined =>
  [...steps].find(([, { status }]) => !endsWell(status))?.[0] ?? [...steps.keys()].at(-1);

function runFinding(examined: ExaminedRun | undefined, holder: LockHolder | undefined): Finding {
  const check = 'run';
  if (examined === undefined) return { check, state: 'note', what: 'no run is recorded on this machine' };
  const { history, error: unread } = examined;
  if (history === undefined || unread !== undefined) {
    const { code, message, hint } = errorRecord(unread);
    return { check, state: 'problem', what: `${examined.id} is unreadable: ${code}: ${message}`, next: hint };
  }
  return historyFinding(history, holder);
}

function historyFinding(history: History, holder: LockHolder | undefined): Finding {
  const check = 'run';
  const { start, steps, error } = history;
  const name = `${start.id} of ${start.pipeline}`;
  const status = liveStatus(history, holder);
  switch (status) {
    case 'running':
      return { check, state: 'note', what: `${name} is in progress (pid ${holder?.pid})` };
    case 'waiting': {
      const [step = ''] = openApprovals(history);
      const what = `${name} waits for an approval of ${step} (pid ${holder?.pid})`;
      return { check, state: 'note', what, next: `join approve ${start.id} ${step}` };
    }
    case 'succeeded':
      return { check, state: 'ok', what: `${name} succeeded` };
    case 'reset':
      return { check, state: 'note', what: `this machine was reset after ${name}` };
    case 'undone':
      return { check, state: 'note', what: `${name} was undone` };
    case 'undoing':
      return { check, state: 'problem', what: `${name} is partly undone`, next: `join undo ${start.id}` };
    case 'interrupted':
      return {
        check,
        state: 'problem',
        what: `${name} was interrupted at ${unfinishedStep(steps)}`,
        next: `join resume ${start.id}`,
      };
    default: {
      const reason = error === undefined ? '' : `: ${error.code}: ${error.message}`;
      const what = `${name} ${status} at ${unfinishedStep(steps)}${reason}`;
      return { check, state: 'problem', what, next: nextAfter(history) };
    }
  }
}

/** The hint of the error first, because the cause may still exist. */
function nextAfter(history: History): string {
  const resume = `join resume ${history.start.id}`;
  const hint = history.error === undefined ? '' : ofHistory(history)(history.error.hint);
  if (hint === '' || history.error?.code === 'E_CANCELLED') return resume;
  return hint.includes('join resume') ? hint : `${hint}\nThen: ${resume}`;
}
