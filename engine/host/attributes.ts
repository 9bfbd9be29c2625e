/** ACLs, SELinux labels and extended attributes. Node cannot read or write them, so `cp` of coreutils copies them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { OpenFile } from './file-calls.ts';

const OPTIONS = {
  /** What an editor preserves. The new content has its own owner and times. */
  attributes: ['--attributes-only', '--preserve=mode,xattr'],
  everything: ['--preserve=all', '--reflink=auto'],
};

/** Whether everything was copied. Both files are open, so no other file can replace them. */
export async function copyFile(from: OpenFile, to: OpenFile, what: keyof typeof OPTIONS): Promise<boolean> {
  if (from.fd === undefined || to.fd === undefined) return false; // a disk in memory
  const PATH = `${process.env.PATH ?? ''}:/usr/bin:/bin`;
  const child = spawn('cp', [...OPTIONS[what], '--', '/proc/self/fd/3', '/proc/self/fd/4'], {
    detached: true, // a terminal that is closed does not end it
    stdio: ['ignore', 'ignore', 'ignore', from.fd, to.fd],
    env: { PATH, LC_ALL: 'C' },
  });
  const [code] = await once(child, 'close').catch(() => [undefined]); // no cp, or one that does not know the options
  return code === 0;
}
