/** The journal's records, and their form on disk: one JSON object a line, each with a checksum over itself and all before it. */
import { createHash } from 'node:crypto';
import schema from '../../schemas/journal.schema.json' with { type: 'json' };
import { violations } from '../documents/validate.ts';
import type { Before, StepChange } from '../host/changes/index.ts';
import { fail } from '../sdk/errors.ts';
import type { HostFacts } from '../sdk/ports.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Answer } from './approval.ts';

/** 2 has steps that were skipped, what was allowed to fail, and approvals. */
export const JOURNAL_VERSION = 2;
const LINE_BYTES_MAX = 4 << 20;

/** What a plan was made from: the same source and the same inputs are the same run. */
export interface PlanSource {
  kind: 'pipeline' | 'phase';
  name: string;
  digest: string;
  environments?: readonly { name: string; digest: string }[];
}

export interface ErrorRecord {
  code: string;
  message: string;
  hint: string;
}

/** A plugin that some of the steps come from: what takes them up again has to be the same. */
export interface PluginRecord {
  name: string;
  version: string;
  folder: string;
  integrity: string;
  steps: readonly string[];
  /** With Joinery itself, which may be another now. */
  isShipped?: boolean;
}

export type Entry =
  | {
      kind: 'start';
      version: number;
      id: string;
      joinery: string;
      pipeline: string;
      source: PlanSource;
      /** Secrets are `{"$secret": name}`: they are kept elsewhere. */
      inputs: unknown;
      host: HostFacts;
      steps: readonly string[];
      /** Left out: none. */
      plugins?: readonly PluginRecord[];
    }
  | { kind: 'resumed' }
  | { kind: 'begun'; step: string; phase: string; attempt: number; input: unknown }
  | { kind: 'once'; step: string; name: string }
  | { kind: 'change'; step: string; change: StepChange; before: Before; after?: string }
  | {
      kind: 'done';
      step: string;
      status: StepStatus;
      attempts: number;
      durationMs: number;
      outputs?: unknown;
      error?: ErrorRecord;
    }
  /** Somebody is asked, and has until then. */
  | { kind: 'asked'; step: string; message: string; until: string }
  | { kind: 'answered'; step: string; answer: Answer }
  /** Its condition was false. */
  | { kind: 'skipped'; step: string; phase: string }
  /** What a step has left outside the machine begins to be taken back: from here on it is not done any more. */
  | { kind: 'undoing'; step: string }
  /** One change is taken back, or what a step had left outside the machine. */
  | { kind: 'undone'; change: number }
  | { kind: 'undone'; step: string }
  | { kind: 'finished'; status: 'succeeded' | 'failed' | 'cancelled' | 'undone'; error?: ErrorRecord };

export type JournalRecord = Entry & { seq: number; at: string };
export type Start = Extract<JournalRecord, { kind: 'start' }>;

/** `{…,"sum":"0123456789abcdef"}` */
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
  /** How far the file is whole; what follows is a last record that a crash tore. */
  lengthBytes: number;
  /** For the `LineWriter` that goes on. */
  sum: string;
}

/** E_JOURNAL_DAMAGED where more than the last record is not as it was written; E_JOURNAL_VERSION for a newer form. */
export function readJournal(file: string, bytes: Buffer): ReadJournal {
  const read: ReadJournal = { records: [], lengthBytes: 0, sum: '' };
  while (read.lengthBytes < bytes.length) {
    const end = bytes.indexOf(0x0a, read.lengthBytes);
    const problem = end === -1 ? 'it does not end' : takeLine(file, read, bytes.subarray(read.lengthBytes, end));
    if (problem !== undefined) {
      // Whatever follows a torn record was never written: appending begins by cutting it off.
      if (end === -1 || end === bytes.length - 1) break;
      throw fail('E_JOURNAL_DAMAGED', { file, line: read.records.length + 1, what: problem });
    }
    read.lengthBytes = end + 1;
  }
  const [first] = read.records;
  if (first !== undefined && first.kind !== 'start')
    throw fail('E_JOURNAL_DAMAGED', { file, line: 1, what: 'it does not begin with a start' });
  return read;
}

/** Adds the record in `line`, or says what is wrong with it. */
function takeLine(file: string, read: ReadJournal, line: Buffer): string | undefined {
  if (line.length > LINE_BYTES_MAX) return `it is longer than ${LINE_BYTES_MAX} bytes`;
  const [, body, sum] = SUM.exec(line.toString('utf8')) ?? [];
  if (body === undefined || sum !== sumOf(read.sum, body)) return 'its checksum is wrong';
  const record = parsed(`${body}}`);
  const { kind, version } = (record ?? {}) as Partial<Start>;
  // Told before anything that follows is looked at: a newer version has other records.
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
