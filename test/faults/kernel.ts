/**
 * What a real kernel does to the command itself: file systems that are full or read-only, and a user without rights.
 */

import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../helpers/sources.ts';
import type { Scene } from './scene.ts';

export interface KernelFault {
  name: string;
  where: string;
  /** A shell line in its own mount table. Default: an unprivileged user and a read-only folder. */
  mount?: string;
}

export const kernel: KernelFault[] = [
  { name: 'a full disk', where: '/etc/kubernetes', mount: 'mount -t tmpfs -o size=4k none "$at"' },
  { name: 'a full disk', where: '/var/lib/kubelet', mount: 'mount -t tmpfs -o size=4k none "$at"' },
  { name: 'no room for names', where: '/var/lib/kubelet', mount: 'mount -t tmpfs -o nr_inodes=2 none "$at"' },
  { name: 'a read-only disk', where: '/etc/kubernetes', mount: 'mount -t tmpfs -o ro none "$at"' },
  { name: 'a read-only disk', where: '/run', mount: 'mount --bind "$at" "$at" && mount -o remount,bind,ro "$at"' },
  { name: 'no rights', where: '/etc/kubernetes' },
  { name: 'no rights', where: '/run' },
];

/** Runs the command where that holds, and lists what temporary files it has left. Nothing of it is seen outside. */
export async function joinUnder({ root, sandbox }: Scene, { where, mount }: KernelFault) {
  const at = join(root, where);
  await mkdir(at, { recursive: true });
  if (mount === undefined) await chmod(at, 0o555);
  const command = [process.execPath, join(PROJECT, 'bin/join'), 'run', sandbox.endpoint, '--root', root];
  const trust = ['--token', sandbox.token, '--discovery-token-ca-cert-hash', sandbox.caPin];
  const line = `${mount ?? 'true'} && { "$@" >/dev/null; code=$?; find "$root" -name '*.tmp'; exit $code; }`;
  const argv = [mount === undefined ? '-U' : '-rm', 'sh', '-c', line, 'sh', ...command, ...trust];
  const ended = await new Promise<{ code: number; stderr: string; left: string }>((resolve) => {
    execFile('unshare', argv, { env: { ...process.env, root, at } }, (error, left, stderr) =>
      resolve(
        error?.code === 'ENOENT'
          ? { code: 1, stderr: 'unshare is missing', left }
          : { code: Number(error?.code ?? 0), stderr, left },
      ),
    );
  });
  if (mount === undefined) await chmod(at, 0o755);
  return ended;
}
