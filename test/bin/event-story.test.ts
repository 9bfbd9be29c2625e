/** `--output jsonl` of an interrupted run, of its resume and of an attach together tell what the journal tells. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../engine/journal/journal-file.ts';
import type { RunEvent } from '../../engine/run/run.ts';
import { leaks, plainCanary, tokenCanary } from '../canary/scanner.ts';
import { type JournalStory, storyOf } from '../helpers/journal-story.ts';
import { cli, scene, start } from './cli.ts';
import { documentOf } from './documents.ts';

/** Each line is checked against schemas/event.schema.json. The last line of a killed process may be cut. */
const eventsOf = (stdout: string): RunEvent[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => documentOf('Event', line));

/** The events, by their numbers. Every source must say the same of the same number. */
function joined(...sources: readonly RunEvent[][]): RunEvent[] {
  const bySeq = new Map<number, RunEvent>();
  for (const event of sources.flat()) {
    expect(bySeq.get(event.seq) ?? event).toEqual(event);
    bySeq.set(event.seq, event);
  }
  const events = [...bySeq.values()].sort((one, other) => one.seq - other.seq);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  return events;
}

/** What the events add up to, in the words of a journal. */
function storyOfEvents(events: readonly RunEvent[]): JournalStory {
  const story: JournalStory = {
    changes: { made: 0, undone: 0, kept: 0 },
    status: 'interrupted',
    steps: new Map(),
    madeBy: new Map(),
  };
  for (const event of events) {
    if (event.type === 'step.change') {
      story.changes.made++;
      story.madeBy.set(event.step, (story.madeBy.get(event.step) ?? 0) + 1);
    } else if (event.type === 'step.restored') {
      if (event.outcome === 'restored') story.changes.undone++;
      if (event.outcome === 'stays') story.changes.kept++;
    } else if (event.type === 'step.started') story.steps.set(event.step, 'interrupted');
    else if (event.type === 'step.ended' || event.type === 'step.kept') story.steps.set(event.step, event.status);
    else if (event.type === 'run.started') story.status = 'interrupted';
    else if (event.type === 'run.ended') story.status = event.status;
  }
  return story;
}

test.each([
  ['Ctrl-C', 'SIGINT', 'keep'],
  ['Ctrl-C, and its changes are undone', 'SIGINT', 'undo'],
  ['kill -9', 'SIGKILL', 'keep'],
] as const)(
  'the events of a run that is interrupted by %s, and of what follows, equal its journal',
  {
    timeout: 90_000,
  },
  async (_, signal, onFailure) => {
    const { args, root, sandbox } = await scene({ autoApprove: false });
    const { child, outcome } = start(args('run', '-o', 'jsonl', '--on-failure', onFailure));
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => String(chunk).includes('tls-bootstrap","what"') && resolve());
    });
    child.kill(signal);
    const first = eventsOf((await outcome).stdout);
    sandbox.autoApprove = true;
    const { stdout, code } = await cli(['resume', '-o', 'jsonl', '--root', root]);
    const second = code === 0 ? eventsOf(stdout) : [];
    expect(code).toBe(onFailure === 'undo' ? 2 : 0);
    const run = first[0]?.run ?? '';
    const attached = await cli(['attach', run, '-o', 'jsonl', '--root', root]);
    const all = joined(first, second, eventsOf(attached.stdout));
    expect(all).toEqual(eventsOf(attached.stdout));

    const file = join(root, 'var/lib/joinery/runs', run, 'journal.jsonl');
    const { records } = readJournal(file, await readFile(file));
    const journal = storyOf(records);
    const events = storyOfEvents(all);
    expect(events.changes).toEqual(journal.changes);
    expect(events.madeBy).toEqual(journal.madeBy);
    expect(journal.status).toBe(onFailure === 'undo' ? 'undone' : 'succeeded');
    expect(events.status).toBe(onFailure === 'undo' ? 'cancelled' : 'succeeded');
    for (const [step, status] of journal.steps) expect([step, events.steps.get(step)]).toEqual([step, status]);

    const secrets = [tokenCanary(sandbox.token), plainCanary('key', 'PRIVATE KEY')];
    expect(leaks([first, second, all].map((each) => JSON.stringify(each)).join('\n'), secrets)).toEqual([]);
  },
);
