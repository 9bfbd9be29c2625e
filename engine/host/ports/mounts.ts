import type { Mounts } from '../../sdk/ports.ts';
import type { Attempt } from './attempt.ts';

export const mountsPort = (attempt: Attempt): Mounts => ({
  async below(path) {
    const mounts = await attempt.read({ kind: 'mounts', path });
    attempt.permissions.allowMounts(path, mounts);
    return mounts;
  },
  unmount: (path) => attempt.change({ kind: 'unmount', path }),
});
