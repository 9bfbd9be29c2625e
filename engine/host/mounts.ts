/** The mounts of a machine. Source of the format: proc_pid_mountinfo(5). */
import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { reasonOf } from '../limits/errno.ts';
import { fail } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';
import { MachineCommands } from './commands.ts';
import { realDescriptors, realPath, type Tree } from './descend.ts';

const TABLE = '/proc/self/mountinfo';
const TABLE_BYTES_MAX = 32 << 20;

export class Mounts {
  readonly #root: string;
  readonly #commands: MachineCommands;

  /** `root` is `/` for this machine. */
  constructor(root: string) {
    this.#root = root;
    this.#commands = new MachineCommands(root);
  }

  /**
   * The mount points below `path`, with links resolved, in the order to unmount them: latest mount first, so that
   * nothing is mounted in or over the next one. A path that is mounted twice is listed twice.
   */
  async below(path: string): Promise<string[]> {
    const root = await realpath(this.#root);
    const top = join(root, realPath({ root, descriptors: realDescriptors }, path));
    // A mount at `path` itself is not below it.
    const inside = (point: string): boolean => point.startsWith(join(top, '/'));
    const points = mountPoints(await readTable()).filter(inside);
    return points.reverse().map((point) => join('/', relative(root, point)));
  }

  /**
   * Unmounts the latest mount at a path, lazily if it is busy. Does nothing if the path is not mounted.
   * E_COMMAND_FAILED.
   */
  async unmount(point: string, signal: AbortSignal): Promise<void> {
    const root = await realpath(this.#root);
    const place = join(root, point);
    if (!mountPoints(await readTable()).includes(place)) return;
    requireNoLinks({ root, descriptors: realDescriptors }, point);
    const { exitCode, stderr } = await this.#commands.run(['umount', place], signal);
    if (exitCode === 0 || !mountPoints(await readTable()).includes(place)) return;
    const command = `umount ${place}`;
    if (!/busy/.test(stderr)) throw fail('E_COMMAND_FAILED', { command, exitCode, output: clean(stderr) });
    await this.#commands.must(['umount', '-l', place], signal); // busybox has no --lazy
  }
}

/** `umount` takes a path, and would follow a link that has taken the place of a directory. */
function requireNoLinks(tree: Tree, point: string): void {
  const real = realPath(tree, point);
  if (real !== point) throw fail('E_FILE', { path: point, what: `is ${real} now, which is not unmounted` });
}

/** The mount points of a mountinfo table, in the order in which they were mounted. */
export const mountPoints = (table: string): string[] =>
  table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    );

async function readTable(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(TABLE) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > TABLE_BYTES_MAX) throw new Error(`larger than ${TABLE_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw fail('E_FILE', { path: TABLE, what: reasonOf(error) }, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}
