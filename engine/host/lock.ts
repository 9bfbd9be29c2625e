/** The lock that allows one run at a time on a machine. */
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fail } from '../sdk/errors.ts';
import { joineryPaths as paths } from '../sdk/paths.ts';
import { sleep } from '../sdk/timers.ts';
import { followLinks } from './links.ts';

const TRIES_MAX = 10;
const PAUSE_MS = 20;

export interface Lock {
  release(): Promise<void>;
}

/**
 * Held until `release` or the end of the process: an abstract Unix socket leaves no file behind.
 * Its name is derived from the folder of the runs, so that a container that sees this machine below another path gets the same lock. E_RUN_LOCKED.
 */
export async function lockMachine(root: string): Promise<Lock> {
  const folder = join(root, await followLinks(root, paths.state));
  for (let tries = 0; ; tries++) {
    // If the folder cannot be created, nothing else can be changed, and the run reports why.
    await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
    const name = await nameOf(folder, root);
    const server = await listen(name);
    if (server !== undefined) {
      // The previous holder may just have removed the folder.
      if ((await nameOf(folder, root)) === name) return { release: () => release(server, folder) };
      server.close();
    } else if (tries === TRIES_MAX) throw fail('E_RUN_LOCKED', { root, socket: name });
    else await sleep(PAUSE_MS); // the holder may be about to end
  }
}

async function nameOf(folder: string, root: string): Promise<string> {
  const { dev, ino } = await stat(folder).catch(() => stat(root));
  return `joinery-${dev.toString(16)}-${ino.toString(16)}`;
}

/** Undefined if the name is taken. */
async function listen(name: string): Promise<Server | undefined> {
  const server = createServer((visitor) => visitor.destroy());
  const isFree = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(`\0${name}`, () => resolve(true));
  });
  return isFree ? server.unref() : undefined;
}

/** A run without changes leaves nothing: the folder stays only if it holds a journal. */
async function release(server: Server, folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined);
  server.close();
}
