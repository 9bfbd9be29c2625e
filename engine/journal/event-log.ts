/** The events of a run on disk, beside its journal, one on each line. `join attach` reads them while the run writes. */
import type { AppendHandle, MachineFiles } from '../host/files.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import type { RunEvent } from '../sdk/events.ts';
import { joineryPaths as paths } from '../sdk/paths.ts';
import { journalFile } from './run-folder.ts';

export const eventsFile = (run: string): string => `${paths.runs}/${run}/events.jsonl`;

/** Fields that an event can do without, if it is too long for its line. */
const LONG_FIELDS = new Set(['content', 'outputs', 'diff', 'why']);
/** Events of which there may be any number. They may only fill the first half of the log. */
const FREQUENT = new Set(['step.log', 'step.wait', 'step.waited']);

export class EventLog {
  readonly #files: MachineFiles;
  readonly #run: string;
  #handle: AppendHandle | undefined;
  #lengthBytes = 0;
  #lastSeq = 0;

  private constructor(files: MachineFiles, run: string) {
    this.#files = files;
    this.#run = run;
  }

  /**
   * Continues the log of an earlier process. A log that cannot be written does not stop a run: it then stays as it is.
   */
  static async open(files: MachineFiles, run: string): Promise<EventLog> {
    const log = new EventLog(files, run);
    await log.#open().catch(() => undefined);
    return log;
  }

  /** The number of the last event that is stored. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  async #open(): Promise<void> {
    const file = eventsFile(this.#run);
    for (const path of [paths.state, paths.runs, `${paths.runs}/${this.#run}`]) {
      await this.#files.createParents(path);
      if ((await this.#files.stat(path)) === undefined) await this.#files.createDirectory(path, 0o700);
    }
    await this.#files.requireTrusted(file);
    const { content, fileBytes } = await this.#files.readStart(file, LIMITS.events);
    if (fileBytes === 0 && (await this.#files.stat(file)) === undefined) await this.#files.createEmpty(file, 0o600);
    const handle = await this.#files.appendTo(file);
    // A line that a crash cut off would become a part of the next one.
    this.#lengthBytes = content.lastIndexOf('\n') + 1;
    if (fileBytes > this.#lengthBytes) await handle.truncate(this.#lengthBytes);
    this.#lastSeq = lastSeqOf(content.subarray(0, this.#lengthBytes));
    this.#handle = handle;
  }

  /** Written when it returns, so that the log is never behind what a reader of the events has seen. */
  append(event: RunEvent): void {
    const bytes = Buffer.from(`${lineOf(event)}\n`);
    const limitBytes = FREQUENT.has(event.type) ? LIMITS.events / 2 : LIMITS.events;
    if (this.#handle === undefined || this.#lengthBytes + bytes.length > limitBytes) return;
    try {
      this.#handle.appendNow(bytes);
      this.#lengthBytes += bytes.length;
    } catch {
      this.#handle = undefined; // the disk is full: a part of a line may be there
    }
  }

  /**
   * A run that has changed nothing has no journal, and leaves no log. The log of a run in the background is kept until
   * the next run, because it is the only report of that run.
   */
  async close(ran: 'foreground' | 'background' = 'foreground'): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
    if (ran === 'foreground') await this.#removeWithoutJournal().catch(() => undefined); // then the next run removes it
  }

  async #removeWithoutJournal(): Promise<void> {
    if ((await this.#files.stat(journalFile(this.#run))) !== undefined) return;
    await this.#files.removeTree(`${paths.runs}/${this.#run}`);
    if ((await this.#files.stat(paths.runs))?.kind === 'directory') await this.#files.remove(paths.runs); // if empty
  }
}

export interface ReadEvents {
  events: RunEvent[];
  /** Where the next event begins. */
  offset: number;
}

/** Complete events of a log from `offset` on, a part at a time. Undefined if the run has no log. */
export async function readEvents(files: MachineFiles, run: string, offset: number): Promise<ReadEvents | undefined> {
  const file = eventsFile(run);
  await files.requireTrusted(file);
  for (let bytesMax = LIMITS.event; ; bytesMax *= 2) {
    const bytes = await files.readFrom(file, offset, bytesMax);
    if (bytes === undefined) return undefined;
    const lengthBytes = bytes.lastIndexOf('\n') + 1;
    if (lengthBytes === 0 && bytes.length === bytesMax && bytesMax < LIMITS.events) continue; // a longer line
    const lines = bytes.subarray(0, lengthBytes).toString('utf8').split('\n').slice(0, -1);
    return { events: lines.map((line) => eventOf(line, file)), offset: offset + lengthBytes };
  }
}

function eventOf(line: string, file: string): RunEvent {
  try {
    const event = JSON.parse(line) as RunEvent;
    if (event.kind === 'Event' && typeof event.seq === 'number' && typeof event.type === 'string') return event;
  } catch {}
  throw fail('E_FILE', { path: file, what: 'has a line that is not an event' });
}

/** The event as one line of JSON. */
export function lineOf(event: RunEvent): string {
  const line = JSON.stringify(event);
  if (line.length * 2 < LIMITS.event || Buffer.byteLength(line) < LIMITS.event) return line;
  return JSON.stringify(event, (name, value: unknown) => (LONG_FIELDS.has(name) ? undefined : value));
}

function lastSeqOf(lines: Buffer): number {
  const last = lines.subarray(lines.lastIndexOf('\n', -2) + 1).toString('utf8');
  return Number(/"seq":(\d{1,15})\b/.exec(last)?.[1] ?? 0);
}
