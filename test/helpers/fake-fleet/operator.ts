/** A fleet of machines that are behind HTTP, and an operator of it in this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageAssets } from '../../../bin/assets.ts';
import { serveDashboard } from '../../../bin/fleet/dashboard.ts';
import type { Fleet, Host, Rollout } from '../../../engine/fleet/fleet.ts';
import { Operator } from '../../../engine/fleet/operator.ts';
import { PROJECT } from '../sources.ts';
import { fakeSteps } from './steps.ts';

export const SERVER = join(PROJECT, `node_modules/@restatedev/restate-server-linux-${process.arch}/bin/restate-server`);

export const fakeHost = (name: string, role: Host['role'] = 'worker'): Host => ({
  name,
  address: name,
  transport: { kind: 'local', root: `/none/${name}` },
  role,
  labels: {},
  environments: [],
  variables: {},
});

export const fakeFleet = (hosts: readonly Host[], rollout: Partial<Rollout> = {}): Fleet => ({
  name: 'rack-7',
  kubeconfig: '/none',
  hosts: [...hosts],
  pipelines: { worker: 'join-worker', 'control-plane': 'join-control-plane' },
  environments: [],
  rollout: {
    waves: [{ hosts: 1 }, 'rest'],
    maxParallel: 5,
    failureBudget: { hosts: 0 },
    soakMs: 0,
    proceedIf: undefined,
    onBudgetExceeded: 'pause',
    ...rollout,
  },
  tokenTtlMs: 900_000,
  approval: 'cluster',
});

export function fleetFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

export const startOperator = (folder: string, fleet: Fleet, url: string): Promise<Operator> =>
  Operator.start({
    fleet: fleet.name,
    folder,
    maxParallel: fleet.rollout.maxParallel,
    restate: { program: SERVER },
    stepsFor: async () => fakeSteps(url),
    dashboardFor: (board) => serveDashboard({ title: fleet.name, board, assets: packageAssets(PROJECT) }),
  });
