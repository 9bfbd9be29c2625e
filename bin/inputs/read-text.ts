/** Text from a file, a pipe or standard input. */
import { readLimited } from '../../engine/limits/read.ts';
import { LIMITS } from '../../engine/limits/sizes.ts';
import { startTimer } from '../../engine/limits/timers.ts';
import { decodeText } from '../../engine/sdk/text.ts';

const STDIN_TIMEOUT_MS = 60_000;

/** At most 1 MiB from a file, or from standard input if `path` is `-`. */
export const readText = async (path: string): Promise<string> => (path === '-' ? readStdin() : readTextFile(path));

/** At most 1 MiB from a file, or from a pipe such as `<(…)` of a shell. */
export const readTextFile = (path: string): string =>
  decodeText(readLimited(path, { bytesMax: LIMITS.text, pipes: 'read' }));

/** A terminal has no time limit, because a person types there. A pipe has one. */
async function readStdin(): Promise<string> {
  const { stdin } = process;
  const late = new Error(`standard input has not ended within ${STDIN_TIMEOUT_MS / 1_000} s`);
  const timer = stdin.isTTY ? undefined : startTimer(STDIN_TIMEOUT_MS, () => stdin.destroy(late));
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > LIMITS.text) throw new Error(`standard input is larger than ${LIMITS.text} bytes`);
    }
  } finally {
    timer?.cancel();
  }
  return decodeText(Buffer.concat(chunks));
}
