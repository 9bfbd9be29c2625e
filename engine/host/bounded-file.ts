/** Reads open files up to a size. Node's `readFile` would ask for the size again, which may be another one by then. */
import { fail } from '../sdk/errors.ts';
import type { OpenFile } from './file-calls.ts';

const UNSIZED_CHUNK_BYTES = 64 << 10;

/** The first `bytes` of the file; fewer if it has become shorter. */
export async function readSized(handle: OpenFile, bytes: number): Promise<Buffer> {
  const content = Buffer.alloc(bytes);
  for (let length = 0; length < bytes; ) {
    const { bytesRead } = await handle.read(content, length, bytes - length, length);
    if (bytesRead === 0) return content.subarray(0, length);
    length += bytesRead;
  }
  return content;
}

/** Files of /proc have no size, and may have no end. */
export async function readUnsized(handle: OpenFile, path: string, bytesMax: number): Promise<Buffer> {
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
