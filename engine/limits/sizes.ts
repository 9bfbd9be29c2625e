/**
 * The sizes of everything that Joinery reads and writes, in one table. What one part may write, every other part can
 * read.
 */
const KIB = 1 << 10;
const MIB = 1 << 20;

/** JSON writes a control character, such as U+0001, as six characters. */
export const JSON_GROWTH_MAX = 6;

/** Bytes, unless the name says otherwise. */
export const LIMITS = {
  /** A document, or text from standard input, a pipe or a file on the command line. */
  text: MIB,
  /** A file of the machine, before or after a change. Before-images and stored secrets have the same limit. */
  file: 4 * MIB,
  /** A bundle of CA certificates. Those of Linux distributions have about 200 KiB. */
  certificates: 8 * MIB,
  /** The body of an HTTP answer that a step may output. */
  webAnswer: MIB,
  /** A line of a journal. The largest answer fits even if every character is escaped. */
  record: JSON_GROWTH_MAX * MIB + 2 * MIB,
  /** The content of a written file in its record, as JSON. For longer content, the record has only the digest. */
  recordedContent: 64 * KIB,
  /** The message and the hint of an error in a record. */
  recordedError: 16 * KIB,
  journal: 64 * MIB,
  /** A line in the log of a run's events. A longer one is stored without contents. */
  event: 256 * KIB,
  /** The log of a run's events. The second half is reserved for the events that say how steps end. */
  events: 16 * MIB,
  /** The part of a journal that is reserved for the ends of steps and for an undo. */
  journalReserve: 20 * MIB,
  /** How many records a run may write before its reserve. In an undo, each needs at most one more short record. */
  journalRecords: 50_000,
} as const;
