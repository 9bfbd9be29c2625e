import { describe, expect, test } from 'vitest';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import phase from '../../phases/preflight-control-plane/index.ts';
import { SERVER, TOKEN } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { authorityFiles, CONFIGURATION, controlPlaneMachine, PKI, SHARED } from '../helpers/control-plane.ts';

const KEY = 'ab'.repeat(32);
const identity = { server: SERVER, ca: SHARED['ca.crt'] ?? '', token: TOKEN };
const input = { identity, nodeName: 'w1', clusterConfiguration: CONFIGURATION };
const withKey = { ...input, certificateKey: KEY };
const EXTERNAL = { external: { endpoints: ['https://etcd.test:2379'], caFile: '', certFile: '', keyFile: '' } };
const SERVICES = { services: { firewalld: { active: false } } };

const machineWith = ({ files = {}, ...rest }: MemoryMachine = {}, changed: Record<string, string | undefined> = {}) => {
  const machine = controlPlaneMachine(changed);
  return { ...machine, ...SERVICES, ...rest, files: { ...machine.files, ...files } };
};
const listening = (...ports: number[]) => ({
  '/proc/net/tcp': ports.map((port, index) => `   ${index}: 00000000:${hexOf(port)} 00000000:0000 0A 0\n`).join(''),
});
const hexOf = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

async function failedOn(machine: MemoryMachine, inputs: Record<string, unknown> = withKey) {
  const host = memoryHost(machine);
  const { error, result } = await runPhase(phase, inputs, host);
  expect(host.changes).toEqual([]);
  const { code, facts } = (error ?? {}) as { code?: string; facts?: { checks?: { check: string; result: string }[] } };
  const checks = (facts?.checks ?? []).filter(({ result: each }) => each === 'error').map(({ check }) => check);
  return {
    code,
    checks,
    error: error as Error | undefined,
    notes: result.steps[0]?.notes.map(({ text }) => text) ?? [],
  };
}

itKeepsThePhaseContract(phase, { input: withKey, machine: () => machineWith(), secrets: [KEY], changesNothing: true });

describe('preflight-control-plane', () => {
  test.each<[string, MemoryMachine, string[]]>([
    ['a port of the API server that is in use', { files: listening(6443) }, ['Port-6443']],
    ['ports of components that are in use', { files: listening(10_257, 10_259) }, ['Port-10259', 'Port-10257']],
    ['ports of etcd that are in use', { files: listening(2379, 2380) }, ['Port-2379', 'Port-2380']],
    [
      'manifests of another control plane',
      { files: { '/etc/kubernetes/manifests/kube-apiserver.yaml': '', '/etc/kubernetes/manifests/etcd.yaml': '' } },
      [
        'FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml',
        'FileAvailable--etc-kubernetes-manifests-etcd.yaml',
      ],
    ],
    ['data of another etcd', { files: { '/var/lib/etcd/member/wal': '' } }, ['DirAvailable--var-lib-etcd']],
    ['one processor', { files: { '/proc/cpuinfo': 'processor\t: 0\n' } }, ['NumCPU']],
    ['little memory', { files: { '/proc/meminfo': 'MemTotal:        1048576 kB\n' } }, ['Mem']],
  ])('preflight-control-plane refuses a machine with %s', async (_, machine, checks) => {
    expect(await failedOn(machineWith(machine))).toMatchObject({ code: 'E_PREFLIGHT', checks });
  });

  test('checks the port that the API server will have', async () => {
    const machine = machineWith({ files: listening(6443) });
    expect((await failedOn(machine, { ...withKey, bindPort: 443 })).error).toBeUndefined();
  });

  test('preflight-control-plane does not look at etcd if it is external', async () => {
    const machine = machineWith({ files: { ...listening(2379), '/var/lib/etcd/x': '' } });
    const inputs = { ...withKey, clusterConfiguration: { ...CONFIGURATION, etcd: EXTERNAL } };
    expect((await failedOn(machine, inputs)).error).toBeUndefined();
  });

  test('preflight-control-plane requires a certificate for an external etcd, here or in the Secret', async () => {
    const external = { ...EXTERNAL.external, caFile: '/e/ca.crt', certFile: '/e/c.crt', keyFile: '/e/c.key' };
    const clusterConfiguration = { ...CONFIGURATION, etcd: { external } };
    const machine = machineWith({ files: { '/e/ca.crt': 'x' } });
    const { code, checks } = await failedOn(machine, { ...input, clusterConfiguration });
    expect([code, checks]).toEqual(['E_PREFLIGHT', Array(2).fill('ExternalEtcdClientCertificates')]);
    expect((await failedOn(machine, { ...withKey, clusterConfiguration })).error).toBeUndefined();
  });

  test.each([
    [
      'v1.35.9',
      ['[KubernetesVersion] the control plane will have v1.36.2, and the kubelet of this machine has v1.35.9'],
    ],
    ['v1.36.0', []],
    ['of its own', []],
  ])('a kubelet %s of an older release than the cluster is a warning', async (kubeletVersion, warnings) => {
    const { error, notes } = await failedOn(machineWith(), { ...withKey, kubeletVersion });
    expect(error).toBeUndefined();
    expect(notes.filter((text) => text.startsWith('[')).map((text) => text.split(' → ')[0])).toEqual(warnings);
  });

  test('ignores a check that the user names, and says so', async () => {
    const { error, notes } = await failedOn(machineWith({ files: listening(6443) }), {
      ...withKey,
      ignorePreflightErrors: ['port-6443'],
    });
    expect(error).toBeUndefined();
    expect(notes[0]).toBe('[Port-6443] port 6443 is in use → Find the program: ss -ltnp sport = 6443');
  });

  test('preflight-control-plane warns about firewalld, and about a proxy for Services', async () => {
    const { error, notes } = await failedOn(
      machineWith({ services: { firewalld: { active: true } }, environment: { HTTPS_PROXY: 'http://proxy:3128' } }),
    );
    expect(error).toBeUndefined();
    expect(notes.filter((text) => text.startsWith('['))).toEqual([
      expect.stringMatching(/^\[Firewalld\] firewalld is active/),
      expect.stringMatching(/^\[HTTPProxyCIDR\] HTTPS_PROXY is proxy:3128, .*10\.96\.0\.0\/12/),
    ]);
  });

  test('without a certificate key, accepts a machine with the certificates that all control planes share', async () => {
    expect((await failedOn(machineWith(), input)).error).toBeUndefined();
  });

  test.each([
    ['ca.crt', undefined, `${PKI}/ca.crt does not exist`],
    ['front-proxy-ca.crt', 'x', `${PKI}/front-proxy-ca.crt has no certificate`],
    ['etcd/ca.key', authorityFiles('other').key, `${PKI}/etcd/ca.key is`],
    ['sa.key', undefined, `${PKI}/sa.key does not exist`],
    ['sa.key', 'x', `${PKI}/sa.key: `],
    [
      'sa.pub',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      `${PKI}/sa.pub is not the public key of sa.key`,
    ],
  ])('without a certificate key, refuses a machine with a wrong %s (%#)', async (name, content, problem) => {
    const { code, error } = await failedOn(machineWith({}, { [name]: content }), {
      ...input,
      ignorePreflightErrors: ['all'],
    });
    expect(code).toBe('E_CONTROL_PLANE_CERTIFICATES');
    expect(error?.message).toContain(problem);
  });

  test('without a certificate key, refuses a CA that is not the one that discovery verified', async () => {
    const other = authorityFiles('kubernetes');
    const changed = { 'ca.crt': other.certificate, 'ca.key': other.key };
    expect((await failedOn(machineWith({}, changed), input)).code).toBe('E_CERTS_CA');
  });

  test('an external CA, whose key is elsewhere, is only a warning', async () => {
    const { error, notes } = await failedOn(machineWith({}, { 'ca.key': undefined }), input);
    expect(error).toBeUndefined();
    expect(notes[0]).toBe(`${PKI}/ca.key does not exist: the CA cannot issue certificates here`);
  });
});
