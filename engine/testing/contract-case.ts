/** One case of the phase contract: an input, and the machine on which the phase runs with it. */
import type { MemoryHost, MemoryMachine } from './memory-host.ts';

export interface ContractCase {
  /** The input as a user would write it: secrets are plain text. */
  input: Record<string, unknown>;
  /** Returns a new machine, with the cluster that it can reach, for each run. */
  machine: () => MemoryMachine;
  /** Values of `random.once` from an earlier attempt. */
  once?: Readonly<Record<string, string>>;
  /** Prepares what `machine` cannot describe. */
  prepare?: (host: MemoryHost) => Promise<void>;
  /** What later steps do with the outputs before the phase runs a second time. */
  afterwards?: (host: MemoryHost, outputs: unknown) => Promise<void>;
  /** Texts that must not appear in any output. */
  secrets: string[];
  /** The phase changes nothing in this case. Without this, a case in which nothing changes fails. */
  changesNothing?: true;
  /** An undo cannot restore what the phase removes, and the phase reports a failure and continues. */
  goesOn?: true;
}
