/** A real disk that records which files a crash would damage, and that can run full. */
import * as fs from 'node:fs/promises';
import { basename } from 'node:path';
import { type Disk, realDisk } from '../../engine/host/disk.ts';

export interface WatchedDisk {
  disk: Disk;
  /** Names of files with bytes that were written and not synced since. */
  unsynced: Set<string>;
  /** How many bytes still fit. */
  freeBytes: number;
}

export function watchedDisk(): WatchedDisk {
  const watched: WatchedDisk = { disk: realDisk, unsynced: new Set(), freeBytes: Number.POSITIVE_INFINITY };
  const open: Disk['open'] = async (path, flags, mode) => {
    const handle = await fs.open(path, flags, mode);
    const name = basename(String(path));
    const write = async (bytes: Buffer): Promise<void> => {
      watched.unsynced.add(name);
      const fits = bytes.subarray(0, watched.freeBytes);
      watched.freeBytes -= fits.length;
      await handle.appendFile(fits);
      if (fits.length < bytes.length) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    const sync = async (): Promise<void> => {
      await handle.sync();
      watched.unsynced.delete(name);
    };
    const exchanged: Record<PropertyKey, unknown> = { appendFile: write, writeFile: write, sync };
    return new Proxy(handle, {
      get(target, key) {
        const value = exchanged[key] ?? Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  watched.disk = { ...realDisk, open };
  return watched;
}
