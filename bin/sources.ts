/** Text from where somebody says: a file, a pipe, or standard input. */
import { createReadStream } from 'node:fs';

const TEXT_BYTES_MAX = 1 << 20;

/** What is in the file (`-`: on standard input), at most 1 MiB. Throws an Error that says what is wrong. */
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
