/** The change of a file: its whole content, mode and owner at once. */

import { LIMITS } from '../../limits/sizes.ts';
import { fail } from '../../sdk/errors.ts';
import type { Owner } from '../../sdk/ports.ts';
import { requireSize } from '../limits.ts';
import type { ChangeKind } from './kind.ts';
import { digestOf, modeText, type PathBefore, SPECIAL_KINDS, snapshotOf } from './path-snapshot.ts';

export interface FileChange {
  kind: 'file';
  path: string;
  content: Buffer;
  mode: number;
  /** The content holds a secret of the run. */
  secret: boolean;
  owner?: Owner;
  /** In an undo: where the file itself is kept, with the attributes that content, mode and owner do not include. */
  original?: string;
}

export interface FileDescription {
  kind: 'file';
  path: string;
  action: 'create' | 'replace';
  mode: number;
  /** Undefined if the content is secret. */
  content: string | undefined;
  owner?: Owner;
}

/** What a file does not replace, because an undo could not restore it. */
const KINDS = { directory: 'a directory', ...SPECIAL_KINDS };

export const file: ChangeKind<FileChange, FileDescription, PathBefore> = {
  createsParents: true,
  appliesWhole: true,
  subject: ({ path }) => path,
  text({ action, path, mode, content, owner }) {
    const secret = content === undefined ? ', secret' : '';
    const ownership = owner === undefined ? '' : `, owner ${owner.uid}:${owner.gid}`;
    return `${action} ${path} (${modeText(mode)})${secret}${ownership}`;
  },
  check({ path, content }, permissions) {
    requireSize('file', content.length, LIMITS.file);
    permissions.requirePath(path, `file ${path}`);
  },
  async describe({ path, content, mode, secret, owner }, read) {
    const stat = await read({ kind: 'stat', path });
    if (stat !== undefined && stat.kind !== 'file' && stat.kind !== 'link')
      throw fail('E_FILE', { path, what: `is ${KINDS[stat.kind]}, and in the way of a file` });
    const isOwned = owner === undefined || (stat?.uid === owner.uid && stat.gid === owner.gid);
    const isAlike = isOwned && stat?.kind === 'file' && stat.mode === mode;
    if (isAlike && (await read({ kind: 'file', path }))?.equals(content) === true) return undefined;
    return {
      kind: 'file',
      path,
      action: stat === undefined ? 'create' : 'replace',
      mode,
      content: secret ? undefined : content.toString('utf8'),
      ...(owner && { owner }),
    };
  },
  snapshot: async ({ path, content }, { read }) => ({ ...(await snapshotOf(path, read)), after: digestOf(content) }),
  async apply({ path, content, mode, owner, original }, { files }) {
    const state = { content, mode, ...(owner && { owner }) };
    if (original !== undefined && (await files.putBack(original, path, state))) return;
    await files.editFile(path, content, mode, owner);
  },
  overlay: ({ path, content, mode, owner }, overlay) => overlay.put(path, { kind: 'file', mode, ...owner }, content),
  leaves: ({ mode }, digest = '') => ({ kind: 'file', mode, digest }),
};
