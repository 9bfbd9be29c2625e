/** Snapshots of paths: taken before a change, kept in the journal, and compared when the change is undone. */
import { createHash } from 'node:crypto';
import type { Owner, Stat } from '../../sdk/ports.ts';
import type { Read } from '../query.ts';

export type PathBefore =
  | { kind: 'absent' }
  /** The bytes are the file `<image>.before` beside the journal. */
  | { kind: 'file'; mode: number; digest: string; image?: number; owner?: Owner }
  | { kind: 'directory'; mode: number; owner?: Owner }
  | { kind: 'link'; target: string };

/** What a change is about to replace. */
export interface Snapshot<B = PathBefore> {
  before: B | { kind: 'none' };
  /** The bytes of a file. */
  image?: Buffer;
  /** Digest of the file that the change writes. */
  after?: string;
}

/** Permission bits as people write them: `0644`. */
export const modeText = (mode: number): string => mode.toString(8).padStart(4, '0');

export const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What a phase neither replaces nor removes, because an undo could not restore it. */
export const SPECIAL_KINDS = { socket: 'a socket', other: 'a pipe or a device' };

/** The state of `path`, with the bytes if it is a file. */
export async function snapshotOf(path: string, read: Read): Promise<Snapshot> {
  const stat = await read({ kind: 'stat', path });
  if (stat === undefined) return { before: { kind: 'absent' } };
  if (stat.kind === 'link') return { before: { kind: 'link', target: stat.target ?? '' } };
  const { mode } = stat;
  if (stat.kind === 'directory') return { before: { kind: 'directory', mode, ...ownerOf(stat) } };
  if (stat.kind !== 'file') return { before: { kind: 'none' } }; // no file replaces a socket
  const image = (await read({ kind: 'file', path })) ?? Buffer.alloc(0);
  return { before: { kind: 'file', mode, digest: digestOf(image), ...ownerOf(stat) }, image };
}

const ownerOf = ({ uid, gid }: Stat) => (uid === undefined || gid === undefined ? {} : { owner: { uid, gid } });

type State = Snapshot['before'];

/** Whether two snapshots are equal, apart from owners and the modes of directories. */
export function isSame(one: State, other: State): boolean {
  if (one.kind === 'file' && other.kind === 'file') return one.digest === other.digest && one.mode === other.mode;
  if (one.kind === 'link' && other.kind === 'link') return one.target === other.target;
  return one.kind === other.kind;
}

/** Whether `now` has to be removed before `before` can be restored. A file replaces a file or a link in one step. */
export function isInTheWay(now: State, before: State): boolean {
  if (now.kind === 'directory' && before.kind === 'directory') return now.mode !== before.mode;
  return now.kind !== 'absent' && now.kind !== before.kind && !(now.kind === 'link' && before.kind === 'file');
}

export function snapshotText(state: State): string {
  if (state.kind === 'file') return `a file of mode ${modeText(state.mode)}`;
  if (state.kind === 'link') return `a link to ${state.target}`;
  return state.kind === 'absent' ? 'gone' : `a ${state.kind}`;
}
