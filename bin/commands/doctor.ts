/** `join doctor`: diagnoses this machine and its cluster. */
import type { History } from '../../engine/journal/history.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import type { ExaminedRun } from '../../engine/journal/runs.ts';
import { planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import { errorRecord } from '../../engine/run/error-record.ts';
import { run } from '../../engine/run/run.ts';
import { defined, EXIT } from '../../engine/sdk/index.ts';
import { JoinCommand } from '../command.ts';
import { runFlags } from '../inputs/common-flags.ts';
import { diagnosisDocument, diagnosisText, type Finding, isHealthy } from '../render/diagnosis.ts';
import { jsonText } from '../render/json.ts';

export class Doctor extends JoinCommand {
  static override summary = 'Diagnose this machine and its cluster, and suggest the next command';
  static override description =
    `Changes nothing, and can run at any time, even during a join. Exits with ${EXIT.machine} if it finds a problem.`;
  static override flags = { root: runFlags.root, output: runFlags.output };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { host, runs, close } = await this.app.openMachine({ root: flags.root });
    try {
      const [id] = await runs.ids();
      const examined = id === undefined ? undefined : await runs.examine(id);
      const last = id === undefined || examined?.error !== undefined ? undefined : await runs.peek(id);
      const inputs = last === undefined ? {} : inputsFrom(last);
      const plan = planOfPhase('doctor', this.app.registry.get('doctor'), inputs, host.facts);
      const result = await run({ plan, host });
      if (result.error !== undefined) throw result.error;
      const { findings } = (result.steps[0]?.outputs ?? { findings: [] }) as { findings: Finding[] };
      const all = [runFinding(examined), ...findings];
      this.log(flags.output === 'json' ? jsonText(diagnosisDocument(all)) : diagnosisText(all));
      process.exitCode = isHealthy(all) ? 0 : EXIT.machine;
    } finally {
      await close();
    }
  }
}

/** What an unfinished join knows of its cluster, and the CSR that it sent. */
function inputsFrom(journal: Journal): Record<string, unknown> {
  const { steps, changes } = journal.history();
  const discovery = steps.get('discovery')?.outputs;
  if (discovery === undefined) return {};
  const { value } = journal.reveal(discovery);
  const request = changes.findLast(
    ({ change }) => change.kind === 'api' && change.resource === 'certificatesigningrequests',
  )?.change;
  const { identity } = value as { identity?: object };
  return defined({ identity: identity && defined(identity), csr: request?.kind === 'api' ? request.name : undefined });
}

const RESUME_OR_UNDO = 'join resume to continue, or join undo to roll it back';

function runFinding(examined: ExaminedRun | undefined): Finding {
  const check = 'run';
  if (examined === undefined) return { check, state: 'note', what: 'no run is recorded on this machine' };
  const { history, error: unread } = examined;
  if (history === undefined || unread !== undefined) {
    const { code, message, hint } = errorRecord(unread);
    return { check, state: 'problem', what: `${examined.id} is unreadable: ${code}: ${message}`, next: hint };
  }
  return historyFinding(history);
}

function historyFinding(history: History): Finding {
  const check = 'run';
  const { start, status, error } = history;
  const name = `${start.id} of ${start.pipeline}`;
  switch (status) {
    case 'succeeded':
      return { check, state: 'ok', what: `${name} succeeded` };
    case 'undone':
      return { check, state: 'note', what: `${name} was undone` };
    case 'undoing':
      return { check, state: 'problem', what: `${name} is partly undone`, next: 'join undo' };
    case 'interrupted':
      return { check, state: 'problem', what: `${name} is still running, or was killed`, next: RESUME_OR_UNDO };
    default: {
      const reason = error === undefined ? '' : `: ${error.code}: ${error.message}`;
      return { check, state: 'problem', what: `${name} ${status}${reason}`, next: error?.hint ?? RESUME_OR_UNDO };
    }
  }
}
