/** Turns swap off, now and at each boot. Sources of the formats: proc(5), fstab(5). */
import type { Ports } from '../../engine/sdk/index.ts';

/** /proc/swaps and fstab escape characters in octal: \040 is a space. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

export async function turnSwapOff({ files, commands, log }: Pick<Ports, 'files' | 'commands' | 'log'>): Promise<void> {
  const table = (await files.read('/proc/swaps'))?.toString('utf8') ?? '';
  for (const line of table.split('\n').slice(1)) {
    const [name, , , , priority = ''] = line.split(/\s+/);
    if (!name) continue;
    const path = unescaped(name);
    // Negative priorities are the kernel's own; swapon does not accept them.
    const priorityArguments = Number(priority) >= 0 ? ['-p', priority] : [];
    await commands.run(['swapoff', path], { undo: ['swapon', ...priorityArguments, path] });
    if (path.includes('zram'))
      log.warn(`${path} will be active again after a reboot, because zram-generator creates it`);
  }
}

/** Comments out swap entries and keeps all other bytes. */
export async function fstabWithoutSwap({ files, log }: Pick<Ports, 'files' | 'log'>): Promise<void> {
  const [bytes, stat] = await Promise.all([files.read('/etc/fstab'), files.stat('/etc/fstab')]);
  if (bytes === undefined || stat === undefined) return;
  const text = bytes.toString('latin1'); // latin1 keeps every byte
  const lines = text.split('\n').map((line) => (isSwap(line) ? `# joinery: ${line}` : line));
  const commented = lines.join('\n');
  if (commented === text) return;
  const { uid, gid } = stat;
  const owner = uid === undefined || gid === undefined ? undefined : { uid, gid };
  await files.write('/etc/fstab', Buffer.from(commented, 'latin1'), stat.mode, owner);
  log.info('commented out the swap entries in /etc/fstab');
}

const isSwap = (line: string): boolean => !/^\s*#/.test(line) && line.trim().split(/\s+/)[2] === 'swap';
