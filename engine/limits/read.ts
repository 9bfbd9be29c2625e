/**
 * Reads files that a user or the environment names. None of them can fill the memory or block the process: no device,
 * endless pipe or sparse file.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

export interface ReadLimit {
  bytesMax: number;
  /** `read`: a pipe, such as `<(…)` of a shell, is read within a time limit. */
  pipes: 'read' | 'refuse';
}

const CHUNK_BYTES = 64 << 10;
/** How long a pipe may have no writer, and how long its writer may take. */
const WRITER_TIMEOUT_MS = 5_000;
const PIPE_TIMEOUT_MS = 30_000;
const PAUSE_MS = 20;

/** The content of the file at `path`. Throws an Error whose message is the reason. */
export function readLimited(path: string, limit: ReadLimit): Buffer {
  const descriptor = openLimited(path);
  try {
    return readOpened(descriptor, path, limit);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file for `readOpened`. It does not wait for the writer of a pipe. */
export const openLimited = (path: string): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);

/** The remaining content of the file behind `descriptor`. */
export function readOpened(descriptor: number, path: string, { bytesMax, pipes }: ReadLimit): Buffer {
  const stats = fstatSync(descriptor);
  if (!stats.isFile() && !(stats.isFIFO() && pipes === 'read')) throw new Error(`${path} is ${kindOf(stats)}`);
  const tooLarge = new Error(`${path} is larger than ${bytesMax} bytes`);
  if (stats.size > bytesMax) throw tooLarge;
  const chunks: Buffer[] = [];
  const read = stats.isFIFO() ? pipeReader(descriptor, path) : (chunk: Buffer) => readSync(descriptor, chunk);
  for (let bytes = 0; ; ) {
    // One byte more than the known or allowed size is enough to notice that there is more.
    const chunk = Buffer.allocUnsafe(Math.min(bytesMax - bytes + 1, Math.max(stats.size - bytes + 1, CHUNK_BYTES)));
    const length = read(chunk);
    if (length === 0) return Buffer.concat(chunks);
    bytes += length;
    if (bytes > bytesMax) throw tooLarge;
    chunks.push(chunk.subarray(0, length));
  }
}

/** Waits for the writer of a pipe. A read cannot tell a pipe that has ended from one that has no writer yet. */
function pipeReader(descriptor: number, path: string): (chunk: Buffer) => number {
  const begunAt = performance.now();
  const late = (what: string) => new Error(`${path} is a pipe, and ${what}`);
  let hasWriter = false;
  return (chunk) => {
    for (;;) {
      const length = tryRead(descriptor, chunk);
      if (length === 0 && hasWriter) return 0;
      if (length !== undefined && length > 0) {
        hasWriter = true;
        return length;
      }
      hasWriter ||= length === undefined;
      const waitedMs = performance.now() - begunAt;
      if (waitedMs > PIPE_TIMEOUT_MS) throw late(`has not ended within ${PIPE_TIMEOUT_MS / 1_000} s`);
      if (!hasWriter && waitedMs > WRITER_TIMEOUT_MS)
        throw late(`nothing was written to it within ${WRITER_TIMEOUT_MS / 1_000} s`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  };
}

/** Undefined if the pipe has a writer, but no data yet. */
function tryRead(descriptor: number, chunk: Buffer): number | undefined {
  try {
    return readSync(descriptor, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory, not a file';
  if (stats.isFIFO()) return 'a pipe, not a file';
  return stats.isSocket() ? 'a socket, not a file' : 'a device, not a file';
}
