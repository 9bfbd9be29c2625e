/** Many joins at once in this process: machines in memory, which send real requests to one sandbox cluster. */
import type { Wait } from '../../engine/host/host.ts';
import { Transport } from '../../engine/kube/request.ts';
import { watchObject } from '../../engine/kube/watch.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { type RunResult, run } from '../../engine/run/run.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import { startSandbox } from '../../plugins/sandbox/index.ts';
import { DEFAULT_PROFILE, profiles } from '../../plugins/sandbox/profile.ts';
import { catalog, registry } from '../helpers/app.ts';

const KUBELET = {
  manager: 'systemd',
  exists: true,
  enabled: true,
  unit: '[Service]\nExecStart=/usr/bin/kubelet\n',
} as const;

/** The results of `count` joins, up to the start of the kubelet. */
export async function joinsInProcess(count: number): Promise<RunResult[]> {
  const sandbox = await startSandbox();
  const pipeline = catalog.open('join-worker');
  const values = {
    endpoint: sandbox.endpoint,
    token: sandbox.token,
    discoveryTokenCaCertHash: [sandbox.caPin],
    ignorePreflightErrors: ['all'],
    wait: 'started',
  };
  const join = async (name: string): Promise<RunResult> => {
    const transport = new Transport(() => new Date());
    const { signal } = new AbortController();
    const host: MemoryHost = memoryHost({
      programs: ['kubelet'],
      outputs: { 'kubelet --version': { stdout: `Kubernetes ${profiles[DEFAULT_PROFILE].gitVersion}\n` } },
      services: { kubelet: KUBELET, containerd: { ...KUBELET, active: true } },
      send: (request) => transport.send(request, signal),
      wait: (condition, stop) =>
        condition.kind === 'object' ? watchObject(transport, condition, stop) : seen(host, condition),
    });
    const plan = planOf(pipeline, registry, values, { ...host.facts, name });
    try {
      return await run({ plan, host });
    } finally {
      await transport.close();
    }
  };
  try {
    return await Promise.all(Array.from({ length: count }, (_, index) => join(`w${index}`)));
  } finally {
    await sandbox.close();
  }
}

/** What a machine in memory can wait for has happened already. */
async function seen(host: MemoryHost, condition: Exclude<Wait, { kind: 'object' }>): Promise<unknown> {
  if (condition.kind !== 'file') return undefined;
  const { signal } = new AbortController();
  const content = await host.read<'file'>({ kind: 'file', path: condition.path }, signal);
  if (!condition.done(content)) throw new Error(`${condition.path} does not have what the join waits for`);
  return content;
}
