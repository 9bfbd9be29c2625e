/** Whether tests can mount something on this machine. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why nothing can be mounted here, in one sentence. */
export function whyNoMounts(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux';
  const place = mkdtempSync(join(tmpdir(), 'joinery-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'joinery-test', place], { stdio: 'ignore' });
    execFileSync('umount', [place], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'root may not mount here';
  } finally {
    rmdirSync(place);
  }
}
