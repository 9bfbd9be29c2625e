/** Text from a file, a pipe or standard input. */
import { createReadStream } from 'node:fs';

const TEXT_BYTES_MAX = 1 << 20;

/** At most 1 MiB from a file, or from standard input if `path` is `-`. */
export async function readText(path: string): Promise<string> {
  const source = path === '-' ? process.stdin : createReadStream(path);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > TEXT_BYTES_MAX) throw new Error(`${path} is larger than ${TEXT_BYTES_MAX} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
