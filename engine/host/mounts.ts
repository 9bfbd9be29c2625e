/** The mounts of a machine. Source of the format: proc_pid_mountinfo(5). */
import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { reasonOf } from '../limits/errno.ts';
import { fail } from '../sdk/errors.ts';
import type { CommandResult } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';
import { MachineCommands } from './commands.ts';
import { realDescriptors, realPath, withPlace } from './descend.ts';

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
    const isMounted = async () => mountPoints(await readTable()).includes(place);
    if (!(await isMounted())) return;
    await withPlace({ root, descriptors: realDescriptors }, point, 'kept', async ({ descriptor, real }) => {
      if (real !== point) throw fail('E_FILE', { path: point, what: `is ${real} now, which is not unmounted` });
      const { exitCode, stderr } = await this.#umount([], descriptor, point, signal);
      if (exitCode === 0 || !(await isMounted())) return;
      const failed = (output: string) => fail('E_COMMAND_FAILED', { command: `umount ${place}`, exitCode, output });
      if (!/busy/.test(stderr)) throw failed(clean(stderr));
      const lazy = await this.#umount(['-l'], descriptor, point, signal); // busybox has no --lazy
      if (lazy.exitCode !== 0) throw failed(clean(lazy.stderr));
    });
  }

  /**
   * Runs `umount` in the open directory of the mount point, so that no link can take the place of a directory. -c: it
   * does not look for the path of the directory, which may change. busybox has no -c.
   */
  async #umount(
    options: readonly string[],
    parent: number,
    point: string,
    signal: AbortSignal,
  ): Promise<CommandResult> {
    const directory = `/proc/${process.pid}/fd/${parent}`;
    const run = (...extra: string[]) =>
      this.#commands.run(['umount', ...options, ...extra, `./${basename(point)}`], signal, { directory });
    const result = await run('-c');
    return /(invalid|unrecognized|unknown) option/.test(result.stderr) ? run() : result;
  }
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
