import type { Mounts } from '../../sdk/ports.ts';
import type { Attempt } from './attempt.ts';
import { realBound } from './real-paths.ts';

export const mountsPort = (attempt: Attempt): Mounts => ({
  async below(path) {
    const mounts = await attempt.read({ kind: 'mounts', path });
    const { bounds } = attempt.permissions;
    const top = bounds === undefined ? '' : await realBound(bounds, path, attempt.read);
    attempt.permissions.allowMounts(path, top, mounts);
    return mounts;
  },
  unmount: (path) => attempt.change({ kind: 'unmount', path }),
});
