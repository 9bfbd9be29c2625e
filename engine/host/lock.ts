/** One run at a time on a machine. */
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fail } from '../sdk/errors.ts';
import { paths } from '../sdk/paths.ts';
import { followLinks } from './links.ts';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Held until `release`, or until the process is gone, however it goes: an abstract Unix socket leaves no file behind. It is named
 * for the folder of the runs, so that a container that has this machine below another path meets us. E_RUN_LOCKED.
 */
export async function lockMachine(root: string): Promise<Lock> {
  const folder = join(root, await followLinks(root, paths.state));
  for (;;) {
    // Where it cannot be made nothing else can be changed either, and the run will say why.
    await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
    const name = await nameOf(folder, root);
    const server = await listen(name, root);
    // Whoever held it before may just have removed the folder that we meant.
    if ((await nameOf(folder, root)) === name) return { release: () => release(server, folder) };
    server.close();
  }
}

async function nameOf(folder: string, root: string): Promise<string> {
  const { dev, ino } = await stat(folder).catch(() => stat(root));
  return `joinery-${dev.toString(16)}-${ino.toString(16)}`;
}

async function listen(name: string, root: string): Promise<Server> {
  const server = createServer((visitor) => visitor.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? fail('E_RUN_LOCKED', { root, socket: name }) : error),
    );
    server.listen(`\0${name}`, resolve);
  });
  return server.unref();
}

/** A run that has changed nothing leaves nothing: the folder only stays where it holds a journal. */
async function release(server: Server, folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined);
  server.close();
}
