/** The journal on disk: one JSON record a line, each with a checksum over itself and all records before it. */
import { createHash } from 'node:crypto';
import schema from '../../schemas/journal.schema.json' with { type: 'json' };
import { violations } from '../documents/validate.ts';
import type { StepChange } from '../host/changes/index.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import { JOURNAL_VERSION, type JournalRecord, type Start } from './records.ts';

/** Matches `{…,"sum":"0123456789abcdef"}`. */
const SUM = /^(.*),"sum":"([0-9a-f]{16})"\}$/s;
const sumOf = (before: string, body: string): string =>
  createHash('sha256').update(before).update(body).digest('hex').slice(0, 16);

/** Turns records into lines, in order. */
export class LineWriter {
  #sum: string;
  constructor(sum = '') {
    this.#sum = sum;
  }
  get sum(): string {
    return this.#sum;
  }

  line(record: JournalRecord): string {
    const body = JSON.stringify(record).slice(0, -1);
    this.#sum = sumOf(this.#sum, body);
    return `${body},"sum":"${this.#sum}"}\n`;
  }
}

export interface ReadJournal {
  records: JournalRecord[];
  fileBytes: number;
  /** Length of the complete records. Beyond it there may be one record that a crash cut off. */
  lengthBytes: number;
  /** The checksum with which a `LineWriter` continues. */
  sum: string;
  /** Why the records end before the file does. */
  damage?: Damage;
}

export interface Damage {
  line: number;
  what: string;
}

/** E_JOURNAL_DAMAGED if any record but the last is damaged. E_JOURNAL_VERSION if a newer Joinery wrote the file. */
export function readJournal(file: string, bytes: Buffer): ReadJournal {
  const read = readIntact(file, bytes);
  if (read.damage !== undefined) throw fail('E_JOURNAL_DAMAGED', { file, ...read.damage });
  return read;
}

/** The records before the first damage. E_JOURNAL_VERSION. */
export function readIntact(file: string, bytes: Buffer): ReadJournal {
  const read: ReadJournal = { records: [], fileBytes: bytes.length, lengthBytes: 0, sum: '' };
  while (read.lengthBytes < bytes.length) {
    const end = bytes.indexOf(0x0a, read.lengthBytes);
    const problem = end === -1 ? 'it has no end' : takeLine(file, read, bytes.subarray(read.lengthBytes, end));
    if (problem !== undefined) {
      // A crash may cut off the last record. The next append truncates it.
      if (end === -1 || end === bytes.length - 1) break;
      return { ...read, damage: { line: read.records.length + 1, what: problem } };
    }
    read.lengthBytes = end + 1;
  }
  const [first] = read.records;
  if (first !== undefined && first.kind !== 'start') {
    const damage = { line: 1, what: 'its first record is not a start' };
    return { records: [], fileBytes: bytes.length, lengthBytes: 0, sum: '', damage };
  }
  return read;
}

/** Adds the record in `line`. Returns what is wrong with it, if anything. */
function takeLine(file: string, read: ReadJournal, line: Buffer): string | undefined {
  if (line.length > LIMITS.record) return `it is longer than ${LIMITS.record} bytes`;
  const [, body, sum] = SUM.exec(line.toString('utf8')) ?? [];
  if (body === undefined || sum !== sumOf(read.sum, body)) return 'its checksum is wrong';
  const record = parseJson(`${body}}`);
  const { kind, version } = (record ?? {}) as Partial<Start>;
  // Checked before the schema, because a newer version has other records.
  if (kind === 'start' && typeof version === 'number' && version > JOURNAL_VERSION)
    throw fail('E_JOURNAL_VERSION', { file, version, known: JOURNAL_VERSION });
  const [violation] = violations(schema, record);
  if (violation !== undefined) return `${violation.path.join('.')} ${violation.message}`.trim();
  if ((record as JournalRecord).seq !== read.records.length + 1) return 'its number is wrong';
  read.records.push(withCurrentKind(record as JournalRecord));
  read.sum = sum ?? '';
  return undefined;
}

/** Earlier versions wrote `sandbox` for a change of the kind `pod-sandbox`. */
function withCurrentKind(record: JournalRecord): JournalRecord {
  if (record.kind !== 'change' || (record.change.kind as string) !== 'sandbox') return record;
  return { ...record, change: { ...record.change, kind: 'pod-sandbox' } as StepChange };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
