/** `join doctor`: what state this machine and its cluster are in, and the next thing to type. */
import type { History } from '../../engine/journal/history.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import type { Runs } from '../../engine/journal/runs.ts';
import { planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import { run } from '../../engine/run/run.ts';
import { defined, EXIT } from '../../engine/sdk/index.ts';
import { JoinCommand } from '../command.ts';
import { openRun, registry } from '../compose.ts';
import { runFlags } from '../inputs/flags.ts';
import { diagnosisDocument, diagnosisText, type Finding, isHealthy } from '../render/diagnosis.ts';
import { jsonText } from '../render/json.ts';

export class Doctor extends JoinCommand {
  static override summary = 'Say what state this machine and its cluster are in, and the next thing to type';
  static override description =
    `Changes nothing, and may run at any time, beside a join too. Exit code ${EXIT.machine} where something is wrong.`;
  static override flags = { root: runFlags.root, output: runFlags.output };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { host, runs, close } = await openRun({ root: flags.root });
    try {
      const last = await lastRun(runs);
      const given = last === undefined ? {} : joiningOf(last);
      const result = await run({ plan: planOfPhase('doctor', registry().get('doctor'), given, host.facts), host });
      if (result.error !== undefined) throw result.error;
      const { findings } = (result.steps[0]?.outputs ?? { findings: [] }) as { findings: Finding[] };
      const all = [runFinding(last?.history()), ...findings];
      this.log(flags.output === 'json' ? jsonText(diagnosisDocument(all)) : diagnosisText(all));
      process.exitCode = isHealthy(all) ? 0 : EXIT.machine;
    } finally {
      await close();
    }
  }
}

async function lastRun(runs: Runs): Promise<Journal | undefined> {
  const [id] = await runs.ids();
  return id === undefined ? undefined : runs.open(id);
}

/** What an unfinished join has found out of its cluster, and the request that it has sent. */
function joiningOf(journal: Journal): Record<string, unknown> {
  const { steps, changes } = journal.history();
  const discovery = steps.get('discovery')?.outputs;
  if (discovery === undefined) return {};
  const { value } = journal.reveal(discovery);
  const sent = changes.findLast(
    ({ change }) => change.kind === 'api' && change.resource === 'certificatesigningrequests',
  )?.change;
  const { identity } = value as { identity?: object };
  return defined({ identity: identity && defined(identity), csr: sent?.kind === 'api' ? sent.name : undefined });
}

function runFinding(history: History | undefined): Finding {
  const check = 'run';
  if (history === undefined) return { check, state: 'note', what: 'no run is remembered on this machine' };
  const { start, status, error } = history;
  const named = `${start.id} of ${start.pipeline}`;
  switch (status) {
    case 'succeeded':
      return { check, state: 'ok', what: `${named} succeeded` };
    case 'undone':
      return { check, state: 'note', what: `${named} was undone` };
    case 'undoing':
      return { check, state: 'problem', what: `${named} is undone in part`, next: 'join undo' };
    case 'interrupted':
      return { check, state: 'problem', what: `${named} is still at work, or was killed`, next: GO_ON };
    default: {
      const why = error === undefined ? '' : `: ${error.code}: ${error.message}`;
      return { check, state: 'problem', what: `${named} ${status}${why}`, next: error?.hint ?? GO_ON };
    }
  }
}

const GO_ON = 'join resume to go on, or join undo to take it back';
