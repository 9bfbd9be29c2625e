/** The kinds of changes. A new kind is a file in this folder and an entry here. */
import type { Machine } from '../machine.ts';
import type { Overlay } from '../overlay.ts';
import type { Permissions } from '../ports/permissions.ts';
import type { Read } from '../query.ts';
import { api } from './api.ts';
import { command } from './command.ts';
import { directory } from './directory.ts';
import { etcdMember } from './etcd-member.ts';
import { file } from './file.ts';
import { http } from './http.ts';
import type { ChangeKind, DescribedKind, OtherBefore, SnapshotContext } from './kind.ts';
import { link } from './link.ts';
import type { Snapshot as SnapshotOf } from './path-snapshot.ts';
import { podSandbox } from './pod-sandbox.ts';
import { remove } from './remove.ts';
import { removeTree } from './remove-tree.ts';
import { service } from './service.ts';
import { unmount } from './unmount.ts';

/** The kinds that a host applies. */
const applied = {
  file,
  directory,
  link,
  remove,
  'remove-tree': removeTree,
  unmount,
  service,
  command,
  'pod-sandbox': podSandbox,
  http,
  'etcd-member': etcdMember,
};
/** All kinds, as plans, events and journals describe them. */
const described = { ...applied, api };

type Applied = (typeof applied)[keyof typeof applied];
type Described = (typeof described)[keyof typeof described];

/** A change of the machine. */
export type Change = Applied extends infer K ? (K extends ChangeKind<infer C, infer _D, infer _B> ? C : never) : never;

/** A change as plans, events and journals describe it. It holds no secret. */
export type StepChange = Described extends infer K ? (K extends DescribedKind<infer D, infer _B> ? D : never) : never;

/** What a change replaced, as the journal holds it. */
export type Before =
  | (Described extends infer K ? (K extends DescribedKind<infer _D, infer B> ? B : never) : never)
  | OtherBefore;

export type Snapshot = SnapshotOf<Before>;

// A kind's functions accept only changes of that kind, which the compiler cannot see here.
const kindOf = (change: Change) => applied[change.kind] as unknown as ChangeKind<Change, StepChange, Before>;
export const describedKindOf = (change: StepChange) =>
  described[change.kind] as unknown as DescribedKind<StepChange, Before>;

/** What a change is about, in a word or two: a path, `service kubelet`, `nodes w1`. */
export const subjectOf = (change: StepChange): string => describedKindOf(change).subject(change);

/** The change in one line, as an imperative: `create /etc/motd (0644)`. */
export const changeText = (change: StepChange): string => describedKindOf(change).text(change);

/** Throws if the phase did not declare the change. */
export const checkChange = (change: Change, permissions: Permissions): void =>
  kindOf(change).check(change, permissions);

/** The description of the change, or undefined if the machine is already as the change would leave it. */
export const describeChange = async (change: Change, read: Read): Promise<StepChange | undefined> =>
  kindOf(change).describe(change, read);

/** Whether missing directories above the change's path are created first. */
export const createsParents = (change: Change): change is Extract<Change, { path: string }> =>
  kindOf(change).createsParents === true;

/** Whether a change that fails has either happened or changed nothing. */
export const appliesWhole = (change: Change): boolean => kindOf(change).appliesWhole === true;

/** What the change is about to replace. */
export const snapshotBefore = async (change: Change, context: SnapshotContext): Promise<Snapshot> =>
  kindOf(change).snapshot?.(change, context) ?? { before: { kind: 'none' } };

export const applyChange = (change: Change, machine: Machine, signal: AbortSignal): Promise<void> =>
  kindOf(change).apply(change, machine, signal);

/** Lets an overlay answer as if the change were made. */
export const overlayChange = (change: Change, overlay: Overlay): void => kindOf(change).overlay?.(change, overlay);
