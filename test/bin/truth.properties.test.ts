/** What any run says of itself, in text and in events, compared with the lines of its journal. */
import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterRun } from '../../bin/render/continuation.ts';
import { errorText } from '../../bin/render/error.ts';
import { endedText } from '../../bin/render/event-lines.ts';
import { progress } from '../../bin/render/progress.ts';
import { runDetailsDocument, runText } from '../../bin/render/runs.ts';
import { resultText, SIGN } from '../../bin/render/text.ts';
import { undoneText, undoText } from '../../bin/render/undo.ts';
import { follow } from '../../bin/runs/follow.ts';
import { jsonLines } from '../../bin/runs/watch.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import type { JournalRecord } from '../../engine/journal/records.ts';
import type { Runs } from '../../engine/journal/runs.ts';
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import { Registry } from '../../engine/pipeline/registry.ts';
import { undoPlan } from '../../engine/run/plan-record.ts';
import { type RunEvent, type RunResult, run, type UndoOptions, undo } from '../../engine/run/run.ts';
import { fail, type Ports, Secret } from '../../engine/sdk/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import { leaks, plainCanary } from '../canary/scanner.ts';
import { type JournalStory, storyOf } from '../helpers/journal-story.ts';
import { BEGUN_AT, runsOnDisk, START } from '../helpers/journals.ts';
import { ETC, planWith, STOPPED, type UndoableStep, write } from '../helpers/undoable-run.ts';
import { documentOf } from './documents.ts';

const SECRET = 'canary-5d41402abc4b2a76';
const REFUSED = '/etc/refused';
const CANARIES = [plainCanary('password', SECRET)];
const INPUT = { type: 'object', properties: { password: { type: 'string', writeOnly: true } } } as const;

const act = fc.oneof(
  { weight: 8, arbitrary: fc.constant('succeeds' as const) },
  { weight: 2, arbitrary: fc.constant('fails' as const) },
  { weight: 2, arbitrary: fc.constant('is refused' as const) },
  { weight: 1, arbitrary: fc.constant('fails for now' as const) },
  { weight: 2, arbitrary: fc.constant('is cancelled' as const) },
);
const steps = fc.array(
  fc.record({
    /** Position among the steps before it, as a fraction. */
    need: fc.option(fc.double({ min: 0, max: 0.999, noNaN: true }), { nil: undefined }),
    files: fc.nat(2),
    /** What each attempt does. The last entry is repeated. */
    acts: fc.array(act, { minLength: 1, maxLength: 3 }),
    undo: fc.constantFrom('works', 'works', 'fails', 'fails once'),
  }),
  { minLength: 1, maxLength: 5 },
);
const later = fc.array(
  fc.record({
    direction: fc.constantFrom('run' as const, 'undo' as const),
    onFailure: fc.constantFrom('keep' as const, 'undo' as const),
    onCancel: fc.constantFrom('keep' as const, 'undo' as const),
    overwrite: fc.boolean(),
    skipsFirst: fc.boolean(),
    /** Whether the file of the first step is changed before. */
    conflict: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
);
const lives = fc.record({ steps, processes: later });
type Life = typeof lives extends fc.Arbitrary<infer L> ? L : never;
type Process = Life['processes'][number];

/** The secrets of a run are deleted at its end. */
const passwordIn = (input: unknown): string => (input as { password?: Secret }).password?.reveal() ?? 'none';

function stepOf(spec: Life['steps'][number], index: number, cancel: () => void): UndoableStep {
  let attempts = 0;
  let undos = 0;
  return {
    id: `s${index}`,
    needs: spec.need === undefined || index === 0 ? [] : [`s${Math.floor(spec.need * index)}`],
    effects: ETC,
    input: INPUT,
    value: { password: new Secret(SECRET) },
    retry: { attempts: 2, initialMs: 0, factor: 1, capMs: 0 },
    async run({ files, log, signal }: Ports, input) {
      const does = spec.acts[attempts++] ?? spec.acts.at(-1);
      const password = passwordIn(input);
      log.info(`the password is ${password}`);
      for (let file = 0; file < spec.files; file++) await files.write(`/etc/s${index}-${file}`, `${attempts}`, 0o644);
      if (does === 'is refused') await files.write(REFUSED, 'mine', 0o644);
      if (does === 'is cancelled') cancel();
      signal.throwIfAborted();
      if (does === 'fails') throw fail('E_FILE', { path: '/x', what: `no ${password}` });
      if (does === 'fails for now') throw fail('E_API_UNREACHABLE', { server: 'https://c', what: password });
      return { index };
    },
    async undo(_: Ports, input) {
      undos++;
      if (spec.undo === 'fails' || (spec.undo === 'fails once' && undos === 1))
        throw fail('E_FILE', { path: '/y', what: `no ${passwordIn(input)}` });
    },
  };
}

/** A machine that writes every file but one. */
const refusing = (host: MemoryHost): MemoryHost => ({
  ...host,
  async apply(change, signal) {
    if ('path' in change && change.path === REFUSED) throw fail('E_FILE', { path: REFUSED, what: 'is read-only' });
    return host.apply(change, signal);
  },
});

/** What a process printed, and how its run ended. */
interface Said {
  result: RunResult;
  /** On standard output, with the errors and their hints. */
  text: string;
  plain: string;
  jsonl: string;
}

/** A run on a machine in memory, with a journal on disk. Each call is a process that prints what the command prints. */
class LivedRun {
  readonly #host = refusing(memoryHost({ directories: ['/etc'] }));
  readonly #runs: Runs;
  readonly #plan: Plan;
  readonly #registry = new Registry();
  readonly #begun: Journal;
  #stop = new AbortController();

  constructor(specs: Life['steps'], runs: Runs) {
    this.#runs = runs;
    this.#plan = planWith(...specs.map((spec, index) => stepOf(spec, index, () => this.#stop.abort(STOPPED))));
    for (const { phase } of this.#plan.steps) this.#registry.add(phase);
    this.#begun = runs.begin({ ...START, steps: this.#plan.steps.map(({ id }) => id) });
  }

  get id(): string {
    return this.#begun.id;
  }

  begin = (process: Process): Promise<Said> =>
    this.#act((shared) => run({ ...shared, plan: this.#plan, ...process }), this.#begun);

  async resume(process: Process): Promise<Said> {
    const journal = await this.#runs.open(this.id);
    await journal.resumed({});
    return this.#act((shared) => run({ ...shared, plan: this.#plan, ...process }), journal);
  }

  async undo({ overwrite, skipsFirst, conflict }: Process): Promise<Said> {
    const journal = await this.#runs.open(this.id);
    const skip = skipsFirst ? ['s0'] : [];
    if (conflict) await write(this.#host, '/etc/s0-0', 'mine');
    const plan = undoPlan(journal, this.#registry, skip, this.#host.facts);
    return this.#act((shared) => undo({ ...shared, plan, overwrite, skip }), journal, undoneText);
  }

  async #act(
    act: (shared: Pick<UndoOptions, 'host' | 'journal' | 'onEvent' | 'lastSeq' | 'signal'>) => Promise<RunResult>,
    journal: Journal,
    textOf?: typeof undoneText,
  ): Promise<Said> {
    this.#stop = new AbortController();
    const log = await this.#runs.openEvents(this.id);
    const [plain, jsonl] = [new PassThrough(), new PassThrough()];
    const views = [await progress(plain as never, { hint: (hint) => hint }), jsonLines(jsonl)];
    const items: UndoItem[] = [];
    const onEvent = (event: RunEvent) => {
      log.append(event);
      if (event.type === 'step.restored') items.push(event);
      for (const view of views) view.onEvent(event);
    };
    const shared = { host: this.#host, journal, onEvent, lastSeq: log.lastSeq, signal: this.#stop.signal };
    const result = await act(shared);
    await log.close();
    const hint = textOf === undefined ? afterRun(result) : (text: string) => text;
    const words = textOf?.(result, items) ?? [resultText(result, this.#plan, hint), ...undoText(items)].join('\n');
    const errors = [result.error, result.undoError].filter((error) => error !== undefined);
    const text = [words, ...errors.map((error) => errorText(error, { version: '1', hint }))].join('\n');
    return { result, text, plain: String(plain.read() ?? ''), jsonl: String(jsonl.read() ?? '') };
  }
}

/** The numbers in `3 changes: 2 undone, 1 kept`. */
function countsIn(text: string): JournalStory['changes'] {
  if (/: no changes (made|needed)\.|^no changes/m.test(text)) return { made: 0, undone: 0, kept: 0 };
  const [, made = '', all, rest = ''] = /\b(\d+) changes?(?:, (undone|kept)|: ([^.]*))?\./.exec(text) ?? [];
  const number = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(rest)?.[1] ?? 0);
  if (all === 'undone') return { made: Number(made), undone: Number(made), kept: 0 };
  return { made: Number(made), undone: number('undone'), kept: number('kept') };
}

/** The last sign of each step in plain lines. */
const signsIn = (plain: string): Map<string, string> =>
  new Map([...plain.matchAll(/^(\S) (s\d)( \(.*\))?$/gm)].map(([, sign = '', step = '']) => [step, sign]));

function textAgrees({ result, text, plain }: Said, { changes, status, steps }: JournalStory, id: string): void {
  expect(countsIn(text), text).toEqual(changes);
  const canResume = ['failed', 'cancelled', 'interrupted', 'undoing'].includes(status) && result.id !== undefined;
  expect(text.includes(`join resume ${id}`), text).toBe(canResume && !text.startsWith('Run '));
  if (text.includes(`join undo ${id}`)) expect(['succeeded', 'undone']).not.toContain(status);
  if (status === 'none') return; // a run without changes has no journal
  for (const [step, sign] of signsIn(plain)) {
    const recorded = steps.get(step) ?? (sign === '↶' ? 'undone' : 'cancelled');
    if (sign !== '✗' || recorded === 'failed') expect([step, SIGN[recorded as 'failed']]).toEqual([step, sign]);
  }
}

const isOver = ({ outcome }: { outcome: string }): boolean => outcome === 'restored' || outcome === 'stays';

/** The same numbers and statuses, from the events alone. */
function eventsAgree(events: readonly RunEvent[], { changes, status: run, steps, madeBy }: JournalStory): void {
  const count = (fits: (event: RunEvent) => boolean) => events.filter(fits).length;
  const restored = (outcome: string) => count((event) => event.type === 'step.restored' && event.outcome === outcome);
  expect([restored('restored'), restored('stays')]).toEqual([changes.undone, changes.kept]);
  for (const [step, recorded] of madeBy) {
    const reported = count((event) => event.type === 'step.change' && event.step === step);
    expect(recorded, step).toBe(reported);
  }
  expect(events.at(-1)).toMatchObject({ type: 'run.ended', changes });
  if (run === 'none') return;
  const statuses = new Map<string, string>();
  for (const event of events)
    if (event.type === 'step.ended') statuses.set(event.step, event.status);
    else if (event.type === 'step.restored') statuses.set(event.step, isOver(event) ? 'undone' : 'undo-failed');
  for (const [step, status] of statuses)
    if (status !== 'undo-failed') expect([step, status]).toEqual([step, steps.get(step) ?? status]);
}

test('what a run prints, and its events, agree with its journal after any failures, cancellations and undos', {
  timeout: 120_000,
}, async () => {
  let [begun, generated] = [0, 0];
  const { runs, journalFile } = await runsOnDisk(undefined, () => new Date(BEGUN_AT.getTime() + 1_000 * begun++));
  const seen: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(lives, async ({ steps, processes }) => {
      const lived = new LivedRun(steps, runs);
      const said: Said[] = [];
      generated++;
      for (const process of processes) {
        const { status } = await storyAt(journalFile(lived.id));
        if (status === 'undone' || (said.length > 0 && status === 'none')) break; // a command refuses such a run
        if (said.length === 0) said.push(await lived.begin(process));
        else if (process.direction === 'undo') said.push(await lived.undo(process));
        else if (status === 'succeeded') break;
        else said.push(await lived.resume(process));
        const story = await storyAt(journalFile(lived.id));
        seen[story.status] = (seen[story.status] ?? 0) + 1;
        textAgrees(said.at(-1) as Said, story, lived.id);
        const lines = said.flatMap(({ jsonl }) => jsonl.trimEnd().split('\n'));
        const events: RunEvent[] = lines.map((line) => documentOf('Event', line));
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
        eventsAgree(events, story);
        expect(leaks(JSON.stringify(said), CANARIES)).toEqual([]);
        if (story.status !== 'none') await laterAgrees(runs, lived.id, { events, story });
      }
    }),
    { numRuns: 200 },
  );
  expect(generated).toBe(200);
  for (const status of ['succeeded', 'failed', 'cancelled', 'undoing', 'undone'])
    expect(seen[status], status).toBeGreaterThan(5);
});

async function storyAt(file: string): Promise<JournalStory> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const story = storyOf(lines.map((line) => JSON.parse(line) as JournalRecord));
  return lines.length === 0 ? { ...story, status: 'none' } : story;
}

/** What `join attach` and `join runs show` print afterwards. */
async function laterAgrees(runs: Runs, id: string, { events, story }: { events: RunEvent[]; story: JournalStory }) {
  const attached: unknown[] = [];
  const onEvent = (event: unknown) => void attached.push(event);
  const last = await follow({ runs, run: id, isInProgress: async () => false, onEvent, onIdle: () => undefined });
  expect(attached).toEqual(events);
  expect(countsIn(endedText(last as never))).toEqual(story.changes);
  const history = await runs.history(id);
  const document = runDetailsDocument(history, undefined) as {
    status: string;
    next?: string;
    steps: { id: string; status: string; changes: { undone: boolean; stays?: true }[] }[];
  };
  expect(document.status).toBe(story.status);
  expect(new Map(document.steps.map(({ id, status }) => [id, status]))).toEqual(story.steps);
  const changes = document.steps.flatMap((step) => step.changes);
  expect(changes.filter(({ undone, stays }) => undone && stays !== true)).toHaveLength(story.changes.undone);
  expect(document.next === undefined).toBe(story.status === 'succeeded' || story.status === 'undone');
  const text = runText(history, undefined);
  expect(text.match(/, undone$/gm) ?? []).toHaveLength(story.changes.undone);
  expect(leaks(text + JSON.stringify(document), CANARIES)).toEqual([]);
}
