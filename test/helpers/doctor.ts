/** A joined machine and its cluster for tests of the doctor. */
import { expect } from 'vitest';
import { csrRef, nodeRef, paths } from '../../engine/node/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import doctor from '../../phases/doctor/index.ts';
import { FakeCluster, issue, NOW, SERVER, TOKEN } from './cluster.ts';
import { runPhase } from './contract.ts';
import { heldIdentity } from './node.ts';

export const cluster = new FakeCluster();
export const own = issue(cluster.ca);
export const ready = (status: string, reason = '', message = '') => ({
  status: { conditions: [{ type: 'Ready', status, reason, message }] },
});
export const written = {
  ...heldIdentity(SERVER, cluster.ca.pem, own),
  [paths.kubeletConfig]: 'kind: KubeletConfiguration\n',
  [paths.kubeadmFlags]: '',
  [paths.caCert]: cluster.ca.pem,
};
export const RUNNING = { kubelet: { active: true } };
export const joined = (change: MemoryMachine = {}): MemoryMachine => ({
  now: () => NOW,
  files: written,
  services: RUNNING,
  send: cluster.send,
  ...change,
});
export const asking = { identity: { server: SERVER, ca: cluster.ca.pem, token: TOKEN }, csr: 'node-csr-x' };
export const examined = async (machine: MemoryMachine, input: Record<string, unknown> = {}) => {
  const { error, result, changes } = await runPhase(doctor, input, memoryHost(machine));
  expect([error, changes]).toEqual([undefined, []]);
  const { findings } = (result.steps[0]?.outputs ?? {}) as {
    findings: { check: string; state: string; what: string; next?: string }[];
  };
  return findings;
};
export const problems = async (...args: Parameters<typeof examined>) =>
  (await examined(...args)).filter(({ state }) => state !== 'ok');

cluster.put(nodeRef('w1'), ready('True'));
cluster.put(csrRef('node-csr-x'), {});
