/**
 * The sizes of what Joinery reads and writes, in one table. Whatever one part may write, every other part can read.
 */
const KIB = 1 << 10;
const MIB = 1 << 20;

/** JSON writes a control character, such as U+0001, as six characters. */
export const JSON_GROWTH_MAX = 6;

/** Bytes, unless the name says otherwise. */
export const LIMITS = {
  /** A document, or text from standard input, a pipe or a file that was named on the command line. */
  text: MIB,
  /** A file of the machine, before or after a change. Before-images and stored secrets are such files. */
  file: 4 * MIB,
  /** A bundle of CA certificates. Those of the distributions have about 200 KiB. */
  certificates: 8 * MIB,
  /** The body of an HTTP answer that a step may output. */
  webAnswer: MIB,
  /** A line of a journal. It holds the largest answer, every character of it escaped. */
  record: JSON_GROWTH_MAX * MIB + 2 * MIB,
  /** The content of a written file in its record, as JSON. Longer ones have only their digest there. */
  recordedContent: 64 * KIB,
  /** The message and the hint of an error in a record. */
  recordedError: 16 * KIB,
  journal: 64 * MIB,
  /** The part of a journal that only the ends of steps, and an undo, may use. */
  journalReserve: 20 * MIB,
  /** How many records a run may need before its reserve. Each needs at most one short record in an undo. */
  journalRecords: 50_000,
} as const;
