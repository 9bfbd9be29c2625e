/** Files whose size the kernel does not know, such as those of /proc. */
import type { FileHandle } from 'node:fs/promises';
import { fail } from '../sdk/errors.ts';

const UNSIZED_CHUNK_BYTES = 64 << 10;

/** Files of /proc have no size, and may have no end. */
export async function readUnsized(handle: FileHandle, path: string, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let bytes = 0; bytes <= bytesMax; ) {
    const chunk = Buffer.alloc(UNSIZED_CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    bytes += bytesRead;
    chunks.push(chunk.subarray(0, bytesRead));
  }
  throw fail('E_FILE', { path, what: `is larger than ${bytesMax} bytes` });
}
