/** The unmounting of a mount point that the phase found below a path it declared. */
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
