import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import controlPlaneManifests from '../../phases/control-plane-manifests/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { ADDRESS, CONFIGURATION, controlPlaneMachine } from '../helpers/control-plane.ts';

const input = { clusterConfiguration: CONFIGURATION, advertiseAddress: ADDRESS };

itKeepsThePhaseContract(controlPlaneManifests, { input, machine: () => controlPlaneMachine(), secrets: [] });

interface Pod {
  metadata: { annotations?: Record<string, string> };
  spec: {
    containers: [
      {
        command: string[];
        image: string;
        env?: object[];
        livenessProbe: { httpGet: { host?: string } };
        startupProbe: { failureThreshold: number };
        volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
      },
    ];
    volumes: { name: string; hostPath: { path: string; type: string } }[];
  };
}

async function podOf(name: string, configuration: object, inputs: object = {}, directories: string[] = []) {
  const machine = controlPlaneMachine();
  const host = memoryHost({ ...machine, directories: [...(machine.directories ?? []), ...directories] });
  const clusterConfiguration = { ...CONFIGURATION, ...configuration };
  const { error } = await runPhase(controlPlaneManifests, { ...input, clusterConfiguration, ...inputs }, host);
  if (error !== undefined) throw error;
  const path = `/etc/kubernetes/manifests/${name}.yaml`;
  const pod = parseYaml(String(await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))) as Pod;
  return { pod, container: pod.spec.containers[0], command: pod.spec.containers[0].command };
}

/** The environment of the three components, and the contents that the run has written. */
async function withProxies(environment: Record<string, string>, configuration: object = {}) {
  const host = memoryHost({ ...controlPlaneMachine(), environment });
  const clusterConfiguration = { ...CONFIGURATION, ...configuration };
  const { error } = await runPhase(controlPlaneManifests, { ...input, clusterConfiguration }, host);
  expect(error).toBeUndefined();
  const files = host.changes.flatMap((change) => (change.kind === 'file' ? [change] : []));
  return files.map(({ content }) => ({
    environment: (parseYaml(String(content)) as Pod).spec.containers[0].env,
    content,
  }));
}

describe('control-plane-manifests', () => {
  test('all components get the proxies of the environment, sorted; the configuration overrides them', async () => {
    const environment = { no_proxy: '10.0.0.0/8', HTTPS_PROXY: 'http://proxy:3128', http_proxy: '', PROXY_USER: 'x' };
    const extraEnvs = [
      { name: 'no_proxy', value: 'cluster.test' },
      { name: 'A', value: '1' },
    ];
    const [apiServer, ...others] = await withProxies(environment, { apiServer: { extraEnvs } });
    const proxies = [
      { name: 'HTTPS_PROXY', value: 'http://proxy:3128' },
      { name: 'no_proxy', value: '10.0.0.0/8' },
    ];
    expect(apiServer?.environment).toEqual([extraEnvs[1], proxies[0], extraEnvs[0]]);
    expect(others.map((other) => other.environment)).toEqual([proxies, proxies]);
  });

  test('a proxy with a password makes the manifests secret', async () => {
    const host = memoryHost({ ...controlPlaneMachine(), environment: { HTTPS_PROXY: 'http://me:hunter22@proxy:1' } });
    const { result, changes } = await runPhase(controlPlaneManifests, input, host);
    expect(JSON.stringify([result, changes])).not.toContain('hunter22');
    expect(host.changes.some((change) => change.kind === 'file' && String(change.content).includes('hunter22'))).toBe(
      true,
    );
  });

  const unsorted = [
    { name: 'v', value: '2' },
    { name: 'audit-log-path', value: '-' },
    { name: 'v', value: '4' },
  ];
  test("puts the user's arguments after the defaults in their order, from 1.36 on", async () => {
    const { command } = await podOf('kube-apiserver', { apiServer: { extraArgs: unsorted } });
    expect(command.slice(-4)).toEqual([
      '--tls-private-key-file=/etc/kubernetes/pki/apiserver.key',
      '--v=2',
      '--audit-log-path=-',
      '--v=4',
    ]);
  });

  test('sorts all arguments up to 1.35', async () => {
    const configuration = { kubernetesVersion: 'v1.35.0', apiServer: { extraArgs: unsorted } };
    const { command } = await podOf('kube-apiserver', configuration);
    expect(command.slice(1, 5).map((argument) => argument.split('=')[0])).toEqual([
      '--advertise-address',
      '--allow-privileged',
      '--audit-log-path',
      '--authorization-mode',
    ]);
  });

  test('control-plane-manifests reads a mapping of arguments (up to v1beta3), which replace defaults', async () => {
    const extraArgs = { 'authorization-mode': 'Node,RBAC,Webhook' };
    const { command } = await podOf('kube-apiserver', { apiServer: { extraArgs } });
    expect(command.filter((argument) => argument.startsWith('--authorization-mode'))).toEqual([
      '--authorization-mode=Node,RBAC,Webhook',
    ]);
  });

  test('control-plane-manifests sets no authorization mode if a file configures authorization', async () => {
    const extraArgs = [{ name: 'authorization-config', value: '/etc/kubernetes/authz.yaml' }];
    const { command } = await podOf('kube-apiserver', { apiServer: { extraArgs } });
    expect(command.some((argument) => argument.startsWith('--authorization-mode'))).toBe(false);
  });

  test('control-plane-manifests writes IPv6 addresses in brackets where they are part of a URL', async () => {
    const { pod, command, container } = await podOf('kube-apiserver', {}, { advertiseAddress: '2001:db8::2' });
    expect(pod.metadata.annotations).toEqual({
      'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': '[2001:db8::2]:6443',
    });
    expect(command).toContain('--etcd-servers=https://[::1]:2379');
    expect(container.livenessProbe.httpGet.host).toBe('2001:db8::2');
  });

  test('lets the kubelet choose the host of a probe if the component listens on all addresses', async () => {
    const extraArgs = [{ name: 'bind-address', value: '0.0.0.0' }];
    const { container } = await podOf('kube-scheduler', { scheduler: { extraArgs } });
    expect(container.livenessProbe.httpGet.host).toBeUndefined();
  });

  test('allocates the subnets of Nodes if the cluster has a subnet for Pods', async () => {
    const networking = { ...CONFIGURATION.networking, podSubnet: '10.244.0.0/16' };
    const { command } = await podOf('kube-controller-manager', { networking });
    expect(command).toEqual(
      expect.arrayContaining([
        '--allocate-node-cidrs=true',
        '--cluster-cidr=10.244.0.0/16',
        '--service-cluster-ip-range=10.96.0.0/12',
      ]),
    );
  });

  test('mounts extra volumes, of which one replaces a volume of the same name', async () => {
    const extraVolumes = [
      { name: 'k8s-certs', hostPath: '/srv/pki', mountPath: '/etc/kubernetes/pki', readOnly: true },
      { name: 'audit', hostPath: '/var/log/audit', mountPath: '/var/log/audit', pathType: 'DirectoryOrCreate' },
    ];
    const { pod, container } = await podOf('kube-apiserver', { apiServer: { extraVolumes } });
    expect(pod.spec.volumes.filter(({ name }) => ['k8s-certs', 'audit'].includes(name))).toEqual([
      { name: 'audit', hostPath: { path: '/var/log/audit', type: 'DirectoryOrCreate' } },
      { name: 'k8s-certs', hostPath: { path: '/srv/pki', type: '' } },
    ]);
    expect(container.volumeMounts[0]).toEqual({ mountPath: '/var/log/audit', name: 'audit' });
  });

  test('mounts the outermost directories of the files for an external etcd', async () => {
    const external = {
      endpoints: ['https://a:2379', 'https://b:2379'],
      caFile: '/srv/etcd/ca.crt',
      certFile: '/srv/etcd/client/c.crt',
      keyFile: '/etc/kubernetes/pki/c.key',
    };
    const { pod, command } = await podOf('kube-apiserver', { etcd: { external } });
    expect(pod.spec.volumes.filter(({ name }) => name.startsWith('etcd-certs'))).toEqual([
      { name: 'etcd-certs-0', hostPath: { path: '/srv/etcd', type: 'DirectoryOrCreate' } },
    ]);
    expect(command).toContain('--etcd-servers=https://a:2379,https://b:2379');
  });

  test('control-plane-manifests mounts the CAs of Red Hat, and not its private keys, from 1.31 on', async () => {
    const names = ({ pod }: { pod: Pod }) =>
      pod.spec.volumes.map(({ name }) => name).filter((name) => name.startsWith('etc-pki'));
    const directories = ['/etc/pki', '/etc/pki/ca-trust', '/etc/pki/tls/certs'];
    expect(names(await podOf('kube-apiserver', {}, {}, directories))).toEqual([
      'etc-pki-ca-trust',
      'etc-pki-tls-certs',
    ]);
    const old = { kubernetesVersion: 'v1.30.0' };
    expect(names(await podOf('kube-apiserver', old, {}, directories))).toEqual(['etc-pki']);
  });

  test('control-plane-manifests writes extra environment variables, and the start limit of a component', async () => {
    const extraEnvs = [{ name: 'HTTPS_PROXY', value: 'http://proxy:3128' }];
    const { container } = await podOf(
      'kube-controller-manager',
      { controllerManager: { extraEnvs } },
      { startTimeout: '5m1s' },
    );
    expect([container.env, container.startupProbe.failureThreshold]).toEqual([extraEnvs, 31]);
  });

  test('replaces what an image tag cannot have in a version', async () => {
    const { container } = await podOf('kube-scheduler', { kubernetesVersion: 'v1.36.2+build.5' });
    expect(container.image).toBe('registry.k8s.io/kube-scheduler:v1.36.2_build.5');
  });
});
