import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import kubeletConfig from '../../phases/kubelet-config/index.ts';
import { authority } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract } from '../helpers/contract.ts';
import { CONFIG, CONFIGURATION, ca, configure, FLAGS, input, machine, text } from '../helpers/kubelet-config.ts';

const CA = '/etc/kubernetes/pki/ca.crt';
const RESOLVED = '/run/systemd/resolve/resolv.conf';

for (const kubeletVersion of ['v1.30.2', 'v1.36.2'])
  itKeepsThePhaseContract(kubeletConfig, {
    input: { ...input, kubeletVersion },
    machine: () => machine({ services: { kubelet: { active: true } } }),
    secrets: [],
  });

describe('kubelet-config', () => {
  test("kubelet-config writes the cluster's configuration, sorted, with kubeadm's defaults and rotation", async () => {
    const host = memoryHost(machine());
    const kubeletConfiguration = { ...CONFIGURATION, rotateCertificates: false, zebra: { b: 1, a: 2 } };
    const { error, changes } = await configure(host, { kubeletConfiguration });
    expect(error).toBeUndefined();
    expect(await text(host, CONFIG)).toBe(
      [
        'apiVersion: kubelet.config.k8s.io/v1beta1',
        'authentication:',
        '  anonymous:',
        '    enabled: false',
        '  webhook:',
        '    enabled: true',
        '  x509:',
        '    clientCAFile: /etc/kubernetes/pki/ca.crt',
        'authorization:',
        '  mode: Webhook',
        'cgroupDriver: systemd',
        'clusterDNS:',
        '- 10.96.0.10',
        'clusterDomain: cluster.local',
        'healthzBindAddress: 127.0.0.1',
        'healthzPort: 10248',
        'kind: KubeletConfiguration',
        'rotateCertificates: true',
        'staticPodPath: /etc/kubernetes/manifests',
        'zebra:',
        '  a: 2',
        '  b: 1',
        '',
      ].join('\n'),
    );
    expect(changes.map((change) => ('path' in change ? `${change.kind} ${change.path}` : change.kind))).toEqual([
      'directory /etc/kubernetes',
      'directory /etc/kubernetes/pki',
      `file ${CA}`,
      'directory /var/lib/kubelet',
      `file ${CONFIG}`,
      `file ${FLAGS}`,
    ]);
  });

  test("the cluster's values override kubeadm's defaults", async () => {
    const host = memoryHost(
      machine({
        files: { [RESOLVED]: '' },
        services: { kubelet: {}, 'systemd-resolved': { active: true } },
      }),
    );
    await configure(host, {
      kubeletConfiguration: {
        ...CONFIGURATION,
        staticPodPath: '/srv',
        resolvConf: '/etc/mine',
        healthzPort: 0,
        authentication: { anonymous: { enabled: true }, webhook: { cacheTTL: '1m' } },
      },
    });
    expect(parse((await text(host, CONFIG)) ?? '')).toMatchObject({
      staticPodPath: '/srv',
      resolvConf: '/etc/mine',
      healthzPort: 0,
      authentication: { anonymous: { enabled: true }, webhook: { cacheTTL: '1m', enabled: true } },
    });
  });

  const configured = async (overrides: Record<string, unknown>) => {
    const host = memoryHost(machine());
    const { error } = await configure(host, overrides);
    expect(error).toBeUndefined();
    return parse((await text(host, CONFIG)) ?? '') as Record<string, unknown>;
  };

  test.each([
    ['10.96.0.0/12', '10.96.0.10'],
    ['10.100.7.9/16', '10.100.0.10'],
    ['10.0.0.0/28', '10.0.0.10'],
    ['fd00:1::/108', 'fd00:1::a'],
    ['fd00:2::/112,10.96.0.0/16', 'fd00:2::a'],
    ['10.0.0.8/29', '10.96.0.10'],
    ['fd00::/129', '10.96.0.10'],
    ['hello', '10.96.0.10'],
    ['', '10.96.0.10'],
  ])('with service subnet "%s", kubelet-config sets an empty clusterDNS to %s', async (serviceSubnet, address) => {
    const { clusterDNS: _, ...kubeletConfiguration } = CONFIGURATION;
    const clusterConfiguration = { kubernetesVersion: 'v1.30.2', networking: { serviceSubnet } };
    expect((await configured({ kubeletConfiguration, clusterConfiguration })).clusterDNS).toEqual([address]);
  });

  test.each([
    [{}, '/etc/kubernetes/pki/ca.crt'],
    [{ clusterConfiguration: { kubernetesVersion: 'v1.30.2', certificatesDir: '/srv/pki' } }, '/srv/pki/ca.crt'],
    [
      { caCertPath: '/my/ca.crt', clusterConfiguration: { kubernetesVersion: 'v1.30.2', certificatesDir: '/srv/pki' } },
      '/my/ca.crt',
    ],
  ])('with %j, the kubelet trusts clients of %s', async (overrides, clientCAFile) => {
    expect((await configured(overrides)).authentication).toMatchObject({ x509: { clientCAFile } });
  });

  test.each([
    ['v1.21.9', undefined],
    ['v1.22.0', 'systemd'],
  ])('for %s, kubelet-config sets an absent cgroup driver to %s', async (kubeletVersion, driver) => {
    const { cgroupDriver: _, ...kubeletConfiguration } = CONFIGURATION;
    expect((await configured({ kubeletVersion, kubeletConfiguration })).cgroupDriver).toBe(driver);
  });

  test.each<[string, MemoryMachine, string | undefined]>([
    ['runs', { files: { [RESOLVED]: '' }, services: { kubelet: {}, 'systemd-resolved': { active: true } } }, RESOLVED],
    [
      'is stopped',
      { files: { [RESOLVED]: '' }, services: { kubelet: {}, 'systemd-resolved': { active: false } } },
      undefined,
    ],
    ['has no file', { services: { kubelet: {}, 'systemd-resolved': { active: true } } }, undefined],
    ['is not there', {}, undefined],
  ])('kubelet-config sets resolvConf if systemd-resolved %s', async (_, change, expected) => {
    const host = memoryHost(machine(change));
    await configure(host);
    expect(parse((await text(host, CONFIG)) ?? '')).toHaveProperty('kind');
    expect((parse((await text(host, CONFIG)) ?? '') as { resolvConf?: string }).resolvConf).toBe(expected);
  });
});

describe('kubelet-config with the gate DynamicKubeletConfig', () => {
  const INIT = '/var/lib/kubelet/config/init/kubelet';

  test('kubelet-config with the gate DynamicKubeletConfig writes the initial configuration too', async () => {
    const host = memoryHost(machine());
    const { error } = await configure(host, { configSource: { configMap: { name: 'kubelet-config-1.20' } } });
    expect(error).toBeUndefined();
    expect(await text(host, INIT)).toBe(await text(host, CONFIG));
  });

  test('kubelet-config writes no initial configuration if the gate DynamicKubeletConfig is off', async () => {
    const host = memoryHost(machine());
    await configure(host);
    expect(await text(host, INIT)).toBeUndefined();
  });
});

describe('CA file of the kubelet', () => {
  test('kubelet-config refuses the CA file of another cluster before anything is written', async () => {
    const foreign = authority('foreign');
    const { error, changes } = await configure(memoryHost(machine({ files: { [CA]: foreign.pem } })));
    expect(error).toMatchObject({
      code: 'E_CA_FILE_DIFFERS',
      facts: { path: CA, found: foreign.pin, wanted: ca.pin },
      exitCode: 6,
    });
    expect(changes).toEqual([]);
  });

  test('kubelet-config refuses an invalid CA file', async () => {
    const { error } = await configure(memoryHost(machine({ files: { [CA]: 'text' } })));
    expect(error).toMatchObject({ code: 'E_CA_FILE_DIFFERS', facts: { found: 'no certificate' } });
  });

  test('kubelet-config updates a CA file with the same key', async () => {
    const host = memoryHost(machine({ files: { [CA]: `# a comment\n${ca.pem}\n` } }));
    const { error } = await configure(host);
    expect(error).toBeUndefined();
    expect(await text(host, CA)).toBe(ca.pem);
  });

  test('kubelet-config writes the CA file to the configured path', async () => {
    const host = memoryHost(machine());
    expect((await configure(host, { caCertPath: '/srv/pki/ca.crt' })).error).toBeUndefined();
    expect([await text(host, '/srv/pki/ca.crt'), await text(host, CA)]).toEqual([ca.pem, undefined]);
  });
});
