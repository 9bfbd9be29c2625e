/**
 * The free space of a journal. A record that would be too large to read is refused before it is written, and so before
 * its change is applied.
 */

import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import type { ErrorRecord, JournalRecord } from './records.ts';

/** The length of `,"sum":"0123456789abcdef"` and of the end of the line. */
const SUM_BYTES = 26;

/** Records that precede a change, so that the change can still be refused. An undo needs none of them. */
const ANNOUNCING = new Set<JournalRecord['kind']>(['start', 'resumed', 'begun', 'once', 'change', 'asked']);

export class JournalRoom {
  #bytes = 0;
  #records = 0;
  /** Reserved bytes for the outputs of steps that have not ended, by step. */
  readonly #reserved = new Map<string, number>();

  constructor(records: readonly JournalRecord[]) {
    for (const record of records) this.#add(bytesOf(record));
  }

  /** Counts a record. E_JOURNAL_LIMIT if it precedes a change and does not fit. */
  take(record: JournalRecord): void {
    const bytes = bytesOf(record);
    if (record.kind === 'done') this.#reserved.delete(record.step);
    if (ANNOUNCING.has(record.kind)) this.#requireRoom(record, bytes);
    this.#add(bytes);
  }

  /** Reserves space for the end of a step, because other steps may write their records first. */
  reserve(record: Extract<JournalRecord, { kind: 'done' }>): void {
    const bytes = bytesOf(record);
    this.#requireRoom(record, bytes);
    this.#reserved.set(record.step, bytes);
  }

  /** E_JOURNAL_LIMIT if the record would not fit. */
  require(record: JournalRecord): void {
    this.#requireRoom(record, bytesOf(record));
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    this.#records++;
  }

  #requireRoom(record: JournalRecord, bytes: number): void {
    const refuse = (what: string) => fail('E_JOURNAL_LIMIT', { record: nameOf(record), what });
    if (bytes > LIMITS.record) throw refuse(`it has ${bytes} bytes as JSON (maximum ${LIMITS.record})`);
    const bytesMax = LIMITS.journal - LIMITS.journalReserve;
    let total = this.#bytes + bytes;
    for (const reserved of this.#reserved.values()) total += reserved;
    if (total > bytesMax) throw refuse(`the journal would have ${total} bytes (maximum ${bytesMax})`);
    if (this.#records >= LIMITS.journalRecords)
      throw refuse(`the journal has ${this.#records} records, which is the maximum`);
  }
}

/** The length of the record on disk. A record that is nested too deeply for JSON is longer than every limit. */
function bytesOf(record: JournalRecord): number {
  try {
    return Buffer.byteLength(JSON.stringify(record)) + SUM_BYTES;
  } catch (error) {
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** The length of a text in a JSON document. */
export const jsonLength = (text: string): number => Buffer.byteLength(JSON.stringify(text));

/** A shortened error for the journal, so that the end of a step can always be recorded. */
export function shortened({ code, message, hint }: ErrorRecord): ErrorRecord {
  return { code, message: cutTo(message, LIMITS.recordedError), hint: cutTo(hint, LIMITS.recordedError) };
}

function cutTo(text: string, bytesMax: number): string {
  let short = text.slice(0, bytesMax);
  if (short === text && jsonLength(text) <= bytesMax) return text;
  while (jsonLength(short) > bytesMax) short = short.slice(0, Math.floor(short.length * 0.9));
  return `${short} …`;
}

/** Names the record in an error: `the input of step a`. */
function nameOf(record: JournalRecord): string {
  switch (record.kind) {
    case 'start':
      return 'the start of the run, with its inputs';
    case 'begun':
      return `the input of step ${record.step}`;
    case 'change':
      return `a change (${record.change.kind}) of step ${record.step}`;
    case 'done':
      return `the outputs of step ${record.step}`;
    case 'asked':
      return `the question of step ${record.step}`;
    default:
      return `a record (${record.kind}) of the run`;
  }
}
