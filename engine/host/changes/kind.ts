/** What has to be known of a kind of change. `index.ts` lists the kinds; each has a file of its own. */
import type { Machine } from '../machine.ts';
import type { Overlay } from '../overlay.ts';
import type { Permissions } from '../ports/permissions.ts';
import type { Read } from '../query.ts';
import type { PathBefore, Snapshot } from './path-snapshot.ts';

/** What a change replaced, as the journal holds it. */
export type OtherBefore =
  /** An earlier change of the same run holds it. */
  | { kind: 'earlier' }
  /** Nothing on this machine undoes the change. */
  | { kind: 'none' };

export interface SnapshotContext {
  read: Read;
  /** Patterns of the paths that a service writes by itself, as the phase declares them. */
  serviceData(service: string): readonly string[];
}

/** One change in a journal. */
export interface JournaledChange<D, B> {
  change: D;
  before: B;
  after?: string;
}

/** The result of an undo. */
export interface UndoOutcome {
  /** `refused`: the path has changed since. `stays`: nothing can undo the change, and nothing has to. */
  outcome: 'restored' | 'refused' | 'stays' | 'failed';
  why?: string;
  /** The difference between what is there and what the run left; only for files that every user may read. */
  diff?: string;
}

/** What an undo may use: `C` are the changes that it applies. */
export interface UndoContext<C> {
  read: Read;
  apply(change: C): Promise<void>;
  /** Every path that the run has changed. */
  changedPaths: ReadonlySet<string>;
  /** Whether the service ran before the run touched it. */
  ranBefore(service: string): boolean;
}

/** A kind of change as it is described: `D` in plans, events and journals, `B` what it replaced. */
export interface DescribedKind<D, B> {
  /** What the change is about, in a word or two. */
  subject(change: D): string;
  /** The change in one line, as an imperative. */
  text(change: D): string;
  /** What is at the change's path after it. `digest` is that of the file written. */
  leaves?(change: D, digest: string | undefined): PathBefore;
  /** Why the change stays if nothing on this machine undoes it. */
  whyItStays?(change: D): string;
  /** Without one, the snapshot of the change's path is restored. */
  undo?(item: { change: D; before: B }, context: UndoContext<never>): Promise<UndoOutcome>;
  /** Undone after all changes of a lower rank. Default: 0. */
  undoRank?(item: { change: D; before: B | OtherBefore }): number;
}

/** A kind of change that a host applies: `C` is what the host gets. */
export interface ChangeKind<C, D, B> extends DescribedKind<D, B> {
  /** Missing directories above its path are created first, each as a change of its own. */
  readonly createsParents?: true;
  /** Throws if the phase did not declare the change. */
  check(change: C, permissions: Permissions): void;
  /** The description of the change, or undefined if the machine is already as the change would leave it. */
  describe(change: C, read: Read): D | undefined | Promise<D | undefined>;
  /** Reads what the change is about to replace. Without it, nothing on this machine undoes the change. */
  snapshot?(change: C, context: SnapshotContext): Snapshot<B> | Promise<Snapshot<B>>;
  /** Changes the real machine. */
  apply(change: C, machine: Machine, signal: AbortSignal): Promise<void>;
  /** Changes what a dry run, or a machine in memory, remembers. Without it, nothing that can be read changes. */
  overlay?(change: C, overlay: Overlay): void;
}
