import { describe, expect, test } from 'vitest';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import controlPlaneKubeconfig from '../../phases/control-plane-kubeconfig/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { ADDRESS, authorityFiles, CONFIGURATION, controlPlaneMachine, PKI, SHARED } from '../helpers/control-plane.ts';
import { glimpseOf } from '../helpers/node.ts';

const clusterConfiguration = { ...CONFIGURATION, encryptionAlgorithm: 'ECDSA-P256' };
const input = { clusterConfiguration, advertiseAddress: ADDRESS };
const ADMIN = '/etc/kubernetes/admin.conf';

itKeepsThePhaseContract(controlPlaneKubeconfig, {
  input,
  machine: () => controlPlaneMachine(),
  secrets: [glimpseOf(SHARED['ca.key'] ?? '')],
});

/** A kubeconfig as an administrator may have brought it along. */
const adminConf = (ca: string, server = 'https://cluster.test:6443') =>
  JSON.stringify({
    clusters: [
      { name: 'kubernetes', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    contexts: [{ name: 'a', context: { cluster: 'kubernetes', user: 'admin' } }],
    'current-context': 'a',
    users: [],
  });

async function run(changed: Record<string, string | undefined>, files: Record<string, string> = {}) {
  const machine = controlPlaneMachine(changed);
  const host = memoryHost({ ...machine, files: { ...machine.files, ...files } });
  const { error, result } = await runPhase(controlPlaneKubeconfig, input, host);
  return { error, result, paths: host.changes.flatMap((change) => ('path' in change ? change.path : [])) };
}
const OTHERS = ['/etc/kubernetes/controller-manager.conf', '/etc/kubernetes/scheduler.conf'];

describe('control-plane-kubeconfig', () => {
  test.each(['https://cluster.test:6443', 'https://old.test:6443'])(
    'control-plane-kubeconfig keeps a kubeconfig that trusts the CA of the cluster, with the server %s',
    async (server) => {
      const { error, paths } = await run({}, { [ADMIN]: adminConf(SHARED['ca.crt'] ?? '', server) });
      expect([error, paths]).toEqual([undefined, OTHERS]);
    },
  );

  test('control-plane-kubeconfig refuses a kubeconfig that trusts another CA, and writes nothing', async () => {
    const { error, paths } = await run({}, { [ADMIN]: adminConf(authorityFiles('kubernetes').certificate) });
    expect(error).toMatchObject({
      code: 'E_CONTROL_PLANE_CERTIFICATES',
      facts: { problems: [`${ADMIN}: it trusts another CA than the cluster has`] },
    });
    expect(paths).toEqual([]);
  });

  test('control-plane-kubeconfig creates no kubeconfig without the key of the CA', async () => {
    const { error, paths } = await run({ 'ca.key': undefined });
    expect([error, paths]).toEqual([undefined, []]);
  });

  test('control-plane-kubeconfig reports a CA that is missing', async () => {
    const { error } = await run({ 'ca.crt': undefined });
    expect(error).toMatchObject({ facts: { problems: [`${PKI}/ca.crt does not exist`] } });
  });
});
