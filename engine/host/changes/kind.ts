/** The type of a kind of change. Each kind has its own file, and `index.ts` lists them. */
import type { Machine } from '../machine.ts';
import type { Overlay } from '../overlay.ts';
import type { Permissions } from '../ports/permissions.ts';
import type { Read } from '../query.ts';
import type { PathBefore, Snapshot } from './path-snapshot.ts';

/** What a change replaced, as the journal holds it. */
export type OtherBefore =
  /** An earlier change of the same run has the snapshot. */
  | { kind: 'earlier' }
  /** Nothing on this machine undoes the change. */
  | { kind: 'none' }
  /** The phase itself undoes the change, before the machine is restored. */
  | { kind: 'phase' };

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
  /** The difference between the current file and the one that the run left; only for world-readable files. */
  diff?: string;
}

/** What an undo may use. `C` is the type of the changes that it applies. */
export interface UndoContext<C> {
  read: Read;
  apply(change: C): Promise<void>;
  /** Every path that the run has changed. */
  changedPaths: ReadonlySet<string>;
  /** Whether the service ran before the run touched it. */
  ranBefore(service: string): boolean;
}

/** How a kind of change is described: `D` in plans, events and journals, `B` what the change replaced. */
export interface DescribedKind<D, B> {
  /** What the change is about, in a word or two. */
  subject(change: D): string;
  /** The change in one line, as an imperative. */
  text(change: D): string;
  /** The state of the path after the change. `digest` is that of the file written. */
  leaves?(change: D, digest: string | undefined): PathBefore;
  /** Why the change cannot be undone on this machine. */
  whyItStays?(change: D): string;
  /** Default: restores the snapshot of the change's path. */
  undo?(item: { change: D; before: B }, context: UndoContext<never>): Promise<UndoOutcome>;
  /** Undone after all changes of a lower rank. Default: 0. */
  undoRank?(item: { change: D; before: B | OtherBefore }): number;
}

/** A kind of change that a host applies: `C` is what the host gets. */
export interface ChangeKind<C, D, B> extends DescribedKind<D, B> {
  /** Missing directories above the path are created first, and each is a separate change. */
  readonly createsParents?: true;
  /** A change that fails has either happened, as its description then shows, or has changed nothing. */
  readonly appliesWhole?: true;
  /** Throws if the phase did not declare the change. */
  check(change: C, permissions: Permissions): void;
  /** The description of the change, or undefined if the machine is already as the change would leave it. */
  describe(change: C, read: Read): D | undefined | Promise<D | undefined>;
  /** Reads what the change is about to replace. Without it, nothing on this machine undoes the change. */
  snapshot?(change: C, context: SnapshotContext): Snapshot<B> | Promise<Snapshot<B>>;
  /** Changes the real machine. */
  apply(change: C, machine: Machine, signal: AbortSignal): Promise<void>;
  /** Applies the change to an overlay, for a dry run or a machine in memory. Default: no effect on reads. */
  overlay?(change: C, overlay: Overlay): void;
}
