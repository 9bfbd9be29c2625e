/** Machines for tests: directories that are thrown away, and ports that say what came through them. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StepChange } from '../../engine/host/changes/index.ts';
import type { Host } from '../../engine/host/host.ts';
import { composePorts } from '../../engine/host/ports/index.ts';
import { type RealHost, realHost } from '../../engine/host/real.ts';
import { kubeAccess } from '../../engine/kube/access.ts';
import { type Effect, type Ports, Secret } from '../../engine/sdk/index.ts';

/** A directory that is gone when the test has ended. */
export async function scratch(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'joinery-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A machine below a scratch directory; scripts are programs in its usr/bin. */
export async function rootedMachine(scripts: Record<string, string> = {}): Promise<{ root: string; host: RealHost }> {
  const root = await scratch();
  for (const [name, body] of Object.entries(scripts)) {
    const path = join(root, 'usr/bin', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
  }
  const host = await realHost(root, { access: kubeAccess });
  onTestFinished(() => host.close());
  return { root, host };
}

export interface WatchedPorts {
  ports: Ports;
  changes: StepChange[];
  notes: string[];
  /** What was recorded before it was made, in that order. */
  recorded: StepChange[];
  /** What was recorded, and then refused. */
  refused: StepChange[];
}

export function portsOn(
  host: Host,
  effects: readonly Effect[] = [],
  { input = {}, signal = new AbortController().signal } = {},
): WatchedPorts {
  const watched: Omit<WatchedPorts, 'ports'> = { changes: [], notes: [], recorded: [], refused: [] };
  const ports = composePorts({
    host,
    effects,
    input,
    signal,
    hasSecret: () => false,
    log: (level, text) => watched.notes.push(`${level}: ${text}`),
    onChange: (change) => watched.changes.push(change),
    async record(change) {
      watched.recorded.push(change);
      return async () => void watched.refused.push(change);
    },
    once: async (_, make) => new Secret(await make()),
  });
  return { ports, ...watched };
}
