/** Swap, off now and at the next start. Sources of the formats: proc(5), fstab(5). */
import type { Ports } from '../../engine/sdk/index.ts';

/** What /proc/swaps and fstab write as \040 is a space. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

export async function turnSwapOff({ files, commands, log }: Pick<Ports, 'files' | 'commands' | 'log'>): Promise<void> {
  const table = (await files.read('/proc/swaps'))?.toString('utf8') ?? '';
  for (const line of table.split('\n').slice(1)) {
    const [name, , , , priority = ''] = line.split(/\s+/);
    if (!name) continue;
    const path = unescaped(name);
    // The kernel numbers those that nobody gave a priority below zero.
    const how = Number(priority) >= 0 ? ['-p', priority] : [];
    await commands.run(['swapoff', path], { undo: ['swapon', ...how, path] });
    if (path.includes('zram')) log.warn(`${path} comes back at the next start, from its generator (zram-generator)`);
  }
}

/** Its lines of swap as comments, the rest of it to the byte. */
export async function fstabWithoutSwap({ files, log }: Pick<Ports, 'files' | 'log'>): Promise<void> {
  const [bytes, there] = await Promise.all([files.read('/etc/fstab'), files.stat('/etc/fstab')]);
  if (bytes === undefined || there === undefined) return;
  const text = bytes.toString('latin1'); // whatever it is, it stays
  const lines = text.split('\n').map((line) => (isSwap(line) ? `# joinery: ${line}` : line));
  const commented = lines.join('\n');
  if (commented === text) return;
  const { uid, gid } = there;
  const owner = uid === undefined || gid === undefined ? undefined : { uid, gid };
  await files.write('/etc/fstab', Buffer.from(commented, 'latin1'), there.mode, owner);
  log.info('lines of swap in /etc/fstab are comments now');
}

const isSwap = (line: string): boolean => !/^\s*#/.test(line) && line.trim().split(/\s+/)[2] === 'swap';
