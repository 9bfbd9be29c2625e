/** One run at a time on a machine. */
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fail } from '../sdk/errors.ts';

/**
 * Held until `release`, or until the process is gone, however it goes: an abstract Unix socket leaves no file behind.
 * It is named for the machine's root, so that a container that has this machine below another path meets us. E_RUN_LOCKED.
 */
export async function lockMachine(root: string): Promise<{ release(): void }> {
  const { dev, ino } = await stat(root);
  const path = `\0joinery-${dev.toString(16)}-${ino.toString(16)}`;
  const server = createServer((visitor) => visitor.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? fail('E_RUN_LOCKED', { root, socket: path.slice(1) }) : error),
    );
    server.listen(path, resolve);
  });
  server.unref();
  return { release: () => void server.close() };
}
