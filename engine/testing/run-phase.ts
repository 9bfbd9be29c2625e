/** Runs and undoes a single phase on a host. */
import type { StepChange } from '../host/changes/index.ts';
import type { Host } from '../host/host.ts';
import { Journal, type JournalStore } from '../journal/journal.ts';
import { memoryStore } from '../journal/memory.ts';
import { planOfPhase } from '../pipeline/phase-plan.ts';
import { Registry } from '../pipeline/registry.ts';
import { undoPlan } from '../run/plan-record.ts';
import { type Clock, type RunEvent, type RunResult, run, undo } from '../run/run.ts';
import { defined } from '../sdk/fields.ts';
import type { AnyPhase, Ports } from '../sdk/index.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { printedForms } from './printed-forms.ts';

export interface Outcome {
  result: RunResult;
  events: RunEvent[];
  changes: StepChange[];
  error: unknown;
  /** What the phase itself wrote, logged, returned and threw, before the engine redacts it. */
  said: unknown[];
  journal: Journal;
}

export interface RunPhaseOptions {
  onFailure?: 'undo';
  onEvent?: (event: RunEvent) => void;
  /** Values of `random.once` from an earlier attempt. */
  once?: Readonly<Record<string, string>>;
  clock?: Clock;
  /** The store of a new journal. */
  store?: JournalStore;
  /** A journal to resume, instead of a new one. */
  journal?: Journal;
}

/** `input` is as a user would write it: secrets are plain text. E_INPUT if it is invalid. */
export async function runPhase(
  phase: AnyPhase,
  input: Record<string, unknown>,
  host: Host,
  options: RunPhaseOptions = {},
): Promise<Outcome> {
  const events: RunEvent[] = [];
  const said: unknown[] = [];
  const { onEvent, once = {}, store = memoryStore(), journal: existing, ...rest } = options;
  const plan = planOfPhase(phase.name, recorded(phase, said), structuredClone(input), host.facts);
  const { pipeline, source, inputs } = plan;
  const start = {
    version: 1,
    id: 'made',
    joinery: '',
    pipeline,
    source,
    inputs,
    host: host.facts,
    steps: [phase.name],
  };
  const journal = existing ?? Journal.begin(store, host.now, start);
  if (existing !== undefined) await journal.resumed(inputs);
  for (const [name, value] of Object.entries(once)) await journal.once(phase.name, name, () => value);
  const result = await run({
    plan,
    host,
    journal,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    },
    ...rest,
  });
  const [step] = result.steps;
  if (step === undefined) throw new Error('a run of one phase has one step');
  return { result, events, changes: step.changes, error: step.error, said, journal };
}

/** Undoes the run of a phase. */
export async function undoPhase(phase: AnyPhase, host: Host, journal: Journal, clock?: Clock): Promise<RunResult> {
  const registry = new Registry();
  registry.add(phase);
  const plan = undoPlan(journal, registry, [], host.facts);
  return undo({ plan, host, journal, ...defined({ clock }) });
}

/** The phase, with all that it says added to `said`. */
function recorded(phase: AnyPhase, said: unknown[]): AnyPhase {
  const note = (value: unknown): void => void said.push(printedForms(value));
  const recordedPorts = ({ files, log, ...ports }: Ports): Ports => ({
    ...ports,
    files: {
      ...files,
      async write(path, content, mode, owner) {
        note(String(content));
        await files.write(path, content, mode, owner);
      },
    },
    log: {
      info(text) {
        note(text);
        log.info(text);
      },
      warn(text) {
        note(text);
        log.warn(text);
      },
    },
  });
  return {
    ...phase,
    async run(ports, input) {
      try {
        const outputs = await phase.run(recordedPorts(ports), input);
        note(wrapSecrets(phase.output, outputs));
        return outputs;
      } catch (error) {
        note(error);
        throw error;
      }
    },
  };
}
