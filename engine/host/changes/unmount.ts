/** The unmounting of a file system that is mounted below a declared path. */
import type { ChangeKind } from './kind.ts';

export interface UnmountChange {
  kind: 'unmount';
  path: string;
}

export const unmount: ChangeKind<UnmountChange, UnmountChange, never> = {
  subject: ({ path }) => path,
  text: ({ path }) => `unmount ${path}`,
  check: ({ path }, permissions) => permissions.requireMount(path),
  describe: (change) => change,
  apply: ({ path }, { mounts }, signal) => mounts.unmount(path, signal),
};
