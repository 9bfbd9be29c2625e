/** The pipeline of `join run --control-plane` on a machine and a cluster in memory. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CONTROL_PLANE_LIMITS, resumeCommand } from '../../bin/commands/resume.ts';
import { CONTROL_PLANE_PIPELINE, DEFAULT_PIPELINE } from '../../bin/pipelines.ts';
import type { Host } from '../../engine/host/host.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { configMapRef, nodeRef } from '../../engine/node/index.ts';
import { kebabCase } from '../../engine/pipeline/flag-names.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { limitInputs } from '../../engine/pipeline/time-limits.ts';
import { generateSealKey, seal } from '../../engine/pki/index.ts';
import { run } from '../../engine/run/run.ts';
import { goYaml } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { app, catalog, registry } from '../helpers/app.ts';
import { authority, ENDPOINT, type FakeCluster, joinableCluster, TOKEN } from '../helpers/cluster.ts';
import { ADDRESS, CONFIGURATION, SHARED } from '../helpers/control-plane.ts';
import { joinable, withKubelet } from '../helpers/joinable.ts';

const KEY = generateSealKey();
const CA = authority();
const CERTS = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system', name: 'kubeadm-certs' };
const EXTERNAL = { external: { endpoints: ['https://etcd.test:2379'], caFile: '', certFile: '', keyFile: '' } };

function clusterOf(version: string): FakeCluster {
  const cluster = joinableCluster(CA);
  const configuration = {
    ...CONFIGURATION,
    kubernetesVersion: version,
    encryptionAlgorithm: 'ECDSA-P256',
    etcd: EXTERNAL,
  };
  cluster.put(configMapRef('kube-system', 'kubeadm-config'), { data: { ClusterConfiguration: goYaml(configuration) } });
  const data = Object.entries({ ...SHARED, 'ca.crt': CA.pem, 'ca.key': CA.key })
    .filter(([path]) => !path.startsWith('etcd'))
    .map(([path, content]) => [path, seal(KEY, Buffer.from(content)).toString('base64')]);
  cluster.put(CERTS, { data: Object.fromEntries(data) });
  cluster.put(nodeRef('w1'), { metadata: { name: 'w1', labels: { 'kubernetes.io/hostname': 'w1' } }, spec: {} });
  return cluster;
}

const INPUTS = {
  endpoint: ENDPOINT,
  token: TOKEN,
  discoveryTokenCaCertHash: [CA.pin],
  certificateKey: KEY,
  apiserverAdvertiseAddress: ADDRESS,
  wait: 'started',
  ignorePreflightErrors: ['all'],
};

async function joined(version: string, inputs: object = {}, as: (host: Host) => Host = (host) => host) {
  const cluster = clusterOf(version);
  const memory = memoryHost(
    joinable({ ...withKubelet(version), directories: ['/etc/kubernetes'], send: cluster.send, wait: cluster.wait }),
  );
  const pipeline = (await catalog.openOverlaid(CONTROL_PLANE_PIPELINE, []))();
  const result = await run({
    plan: planOf(pipeline, registry, { ...INPUTS, ...inputs }, memory.facts),
    host: as(memory),
  });
  const text = async (path: string) => (await memory.read({ kind: 'file', path }, SIGNAL))?.toString('utf8') ?? '';
  return { result, memory, cluster, text };
}
const SIGNAL = new AbortController().signal;
const serverOf = (kubeconfig: string): unknown =>
  (parse(kubeconfig) as { clusters: { cluster: { server: string } }[] }).clusters[0]?.cluster.server;

describe('the pipeline join-control-plane', () => {
  test('a machine becomes a control plane: certificates, kubeconfigs, static Pods, a marked Node', async () => {
    const { result, cluster, text } = await joined('v1.36.2');
    expect([result.status, result.error]).toEqual(['succeeded', undefined]);
    expect(serverOf(await text('/etc/kubernetes/admin.conf'))).toBe('https://cluster.test:6443');
    expect(await text('/etc/kubernetes/pki/apiserver.crt')).toContain('BEGIN CERTIFICATE');
    expect(await text('/etc/kubernetes/manifests/kube-apiserver.yaml')).toContain(`--advertise-address=${ADDRESS}`);
    expect(cluster.objects.get('/api/v1/nodes/w1')).toMatchObject({
      metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } },
      spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] },
    });
  });

  test.each([
    ['v1.32.0', 'https://api.example:6443'],
    ['v1.36.2', `https://${ADDRESS}:6443`],
  ])('the kubelet of a control plane of %s uses the API server %s', async (version, server) => {
    const { text } = await joined(version);
    expect(serverOf(await text('/etc/kubernetes/kubelet.conf'))).toBe(server);
    const { text: bootstrapped } = await joined(version, { tlsBootstrapMode: 'kubelet' });
    expect(serverOf(await bootstrapped('/etc/kubernetes/bootstrap-kubelet.conf'))).toBe(server);
  });

  test('the kubelet of a control plane registers without taints, which a later step sets', async () => {
    const taints = [{ key: 'own', effect: 'NoExecute' }];
    const { cluster, text } = await joined('v1.36.2', { taints });
    expect(await text('/var/lib/kubelet/kubeadm-flags.env')).not.toContain('register-with-taints');
    expect(cluster.objects.get('/api/v1/nodes/w1')).toMatchObject({ spec: { taints } });
  });

  test('the certificate key and the keys that it decrypts are in no result', async () => {
    const { result } = await joined('v1.36.2');
    expect(JSON.stringify(result)).not.toContain(KEY);
    expect(JSON.stringify(result)).not.toContain('PRIVATE KEY');
  });

  test('a wrong certificate key fails before anything is written', async () => {
    const { result, memory } = await joined('v1.36.2', { certificateKey: generateSealKey() });
    expect([result.error, memory.changes]).toMatchObject([{ code: 'E_CERTIFICATE_KEY' }, []]);
  });

  test('a dry run goes through every step, and changes nothing', async () => {
    const { result, memory } = await joined('v1.36.2', {}, recordingHost);
    expect([result.status, result.error]).toEqual(['succeeded', undefined]);
    expect(memory.changes).toEqual([]);
    // Only a real run starts the API server that the last check asks.
    const others = result.steps.filter(({ status }) => status !== 'succeeded');
    expect(others.map(({ id, status }) => [id, status])).toEqual([['wait-control-plane', 'undecided']]);
  });

  test('join resume accepts the time limits of control planes, as the pipeline describes them', async () => {
    const pipeline = (await catalog.openOverlaid(CONTROL_PLANE_PIPELINE, []))();
    const { properties } = pipeline.inputs;
    const own = limitInputs(pipeline).filter((name) => !limitInputs(catalog.open(DEFAULT_PIPELINE)).includes(name));
    expect(Object.keys(CONTROL_PLANE_LIMITS).sort()).toEqual(own.sort());
    for (const [name, { description }] of Object.entries(CONTROL_PLANE_LIMITS))
      expect(description).toBe(properties[name]?.description);
    expect(Object.keys(resumeCommand(app).flags)).toEqual(expect.arrayContaining(own.map(kebabCase)));
  });

  test.each([
    [
      'control-plane-prepare',
      ['download-certs', 'control-plane-certs', 'control-plane-kubeconfig', 'control-plane-manifests'],
    ],
    ['control-plane-prepare/certs', ['control-plane-certs']],
    ['control-plane-join/mark-control-plane', ['mark-control-plane']],
    ['wait-control-plane', ['wait-control-plane']],
  ])('--skip-phases %s skips the steps %j', async (name, skipped) => {
    const pipeline = (await catalog.openOverlaid(CONTROL_PLANE_PIPELINE, []))();
    const { steps } = planOf(pipeline, registry, { ...INPUTS, skipPhases: [name] }, memoryHost({}).facts);
    const kept = steps.map(({ id }) => id);
    expect(pipeline.steps.map(({ id }) => id).filter((id) => !kept.includes(id) && id !== 'etcd-join')).toEqual(
      skipped,
    );
  });
});
