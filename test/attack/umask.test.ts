import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Scene, scene, start } from '../bin/cli.ts';

const FOLDERS = ['etc/kubernetes', 'var/lib/joinery', 'var/lib/kubelet', 'run/joinery'];
/** The mode that every path gets, and has had no bit beyond. */
const MODES = {
  'etc/kubernetes': '755',
  'etc/kubernetes/kubelet.conf': '600',
  'etc/kubernetes/pki': '755',
  'etc/kubernetes/pki/ca.crt': '644',
  'run/joinery': '700',
  'run/joinery/RUN': '700',
  'run/joinery/RUN/input.token': '600',
  'run/joinery/RUN/once.tls-bootstrap.client-key': '600',
  'var/lib/joinery': '700',
  'var/lib/joinery/lock': '600',
  'var/lib/joinery/runs': '700',
  'var/lib/joinery/runs/RUN': '700',
  'var/lib/joinery/runs/RUN/events.jsonl': '600',
  'var/lib/joinery/runs/RUN/journal.jsonl': '600',
  'var/lib/kubelet': '700',
  'var/lib/kubelet/config.yaml': '644',
  'var/lib/kubelet/instance-config.yaml': '644',
  'var/lib/kubelet/kubeadm-flags.env': '644',
  'var/lib/kubelet/pki': '755',
  'var/lib/kubelet/pki/kubelet-client-TIME.pem': '600',
};

/** The last mode of a path, and all bits that it ever had. */
interface Seen {
  last: number;
  ever: number;
}

/** Adds the mode of each path of the machine, except links and files without their final name. */
function look(root: string, seen: Record<string, Seen>): void {
  for (const folder of FOLDERS)
    for (const path of pathsBelow(root, folder)) {
      const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
      if (stats === undefined || stats.isSymbolicLink() || path.endsWith('.tmp')) continue;
      const name = path.replace(/\b\d{8}-\d{6}-[0-9a-f]{4}\b/, 'RUN').replace(/\d{4}(-\d\d){5}(?=\.pem)/, 'TIME');
      const last = stats.mode & 0o7777;
      seen[name] = { last, ever: last | (seen[name]?.ever ?? 0) };
    }
}

function pathsBelow(root: string, folder: string): string[] {
  try {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    return [folder, ...names.map((name) => join(folder, name))];
  } catch {
    return []; // it does not exist yet, or was deleted in this moment
  }
}

/** A join that begins with this umask, and every mode that was seen while it was in progress. */
async function modesOfJoin({ root, args }: Scene, umask: number) {
  const before = process.umask(umask);
  onTestFinished(() => void process.umask(before));
  const { child, outcome } = start(args('run'));
  process.umask(before);
  const seen: Record<string, Seen> = {};
  while (child.exitCode === null) {
    look(root, seen);
    await sleep(1);
  }
  return { outcome: await outcome, seen };
}

describe('a join', { timeout: 60_000 }, () => {
  test.each(['000', '077', '777'])('a join writes everything with its exact mode under the umask %s', async (umask) => {
    const { outcome, seen } = await modesOfJoin(await scene(), Number.parseInt(umask, 8));
    expect(outcome).toMatchObject({ code: 0 });
    const inOctal = (which: keyof Seen) =>
      Object.fromEntries(Object.entries(seen).map(([path, modes]) => [path, modes[which].toString(8)]));
    expect(inOctal('last')).toEqual(MODES);
    expect(inOctal('ever')).toEqual(MODES);
  });
});
