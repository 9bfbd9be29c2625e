/** A machine on which a user has a folder, and root all else. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { MachineFiles } from '../../engine/host/files.ts';
import { scratch } from './machine.ts';

const { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } = fs;
export const USER = 1000;
export const SECRET = 'only for root';

/** A machine on which user 1000 has the folder `/home/u`, and root all else. */
export async function machine() {
  const root = await scratch();
  const make = (path: string, uid = 0, mode = 0o755) => {
    mkdirSync(join(root, path), { recursive: true });
    chmodSync(join(root, path), mode);
    chownSync(join(root, path), uid, uid);
  };
  for (const path of ['etc/cron.d/deep', 'data/kubernetes']) make(path);
  for (const path of ['etc/cron.d/job', 'etc/cron.d/deep/job', `etc/cron.d/deep/${SECRET}`])
    writeFileSync(join(root, path), SECRET, { mode: 0o600 });
  for (const path of ['home/u', 'home/u/own', 'home/u/own/deep']) make(path, USER);
  for (const path of ['home/u/own/job', 'home/u/own/deep/job']) {
    writeFileSync(join(root, path), 'of the user');
    chownSync(join(root, path), USER, USER);
  }
  return { root, make, files: new MachineFiles(root) };
}

/** Everything below `folder`, in a line each. */
export function tree(folder: string): string[] {
  const { mode, uid, gid } = lstatSync(folder);
  const line = `${folder} ${mode.toString(8)} ${uid}:${gid}`;
  if (lstatSync(folder).isDirectory())
    return [line, ...readdirSync(folder).flatMap((name) => tree(join(folder, name)))];
  return [`${line} ${lstatSync(folder).isSymbolicLink() ? readlinkSync(folder) : readFileSync(folder, 'utf8')}`];
}
