import { describe, expect, test } from 'vitest';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import localApiEndpoint from '../../phases/local-api-endpoint/index.ts';
import { SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { ADDRESS, CONFIGURATION } from '../helpers/control-plane.ts';

const input = { clusterConfiguration: CONFIGURATION, server: SERVER };

/** As the kernel prints it: the default route over eth1, whose network is 198.51.100.0/24. */
const ROUTE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00006E0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t00000000\t016433C6\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth1\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;
const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.110.0.7
        /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 198.51.100.12
        /32 host LOCAL
     |-- 198.51.100.255
        /32 link BROADCAST
`;
const IPV6_ROUTE = [
  '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001',
  '00000400 00000002 00000000 00000003 eth1\n',
].join(' ');
const IF_INET6 = `00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000000000000000aa 02 40 20 80     eth1
20010db8000000000000000000000002 02 40 00 80     eth1
`;
const IPV6_SERVICES = {
  clusterConfiguration: { ...CONFIGURATION, networking: { serviceSubnet: 'fd00::/112,10.96.0.0/12' } },
};
const IPV4 = { '/proc/net/route': ROUTE, '/proc/net/fib_trie': TRIE };
const IPV6 = { '/proc/net/ipv6_route': IPV6_ROUTE, '/proc/net/if_inet6': IF_INET6 };

itKeepsThePhaseContract(localApiEndpoint, {
  input,
  machine: () => ({ files: IPV4 }),
  secrets: [],
  changesNothing: true,
});

async function run(files: Record<string, string>, inputs: object = {}) {
  const { error, result } = await runPhase(localApiEndpoint, { ...input, ...inputs }, memoryHost({ files }));
  return { error, outputs: result.steps[0]?.outputs };
}

describe('local-api-endpoint', () => {
  test.each([
    ['the IPv4 address of the default route', { ...IPV4, ...IPV6 }, {}, ADDRESS],
    ['the IPv6 address of the default route if the machine has only that', IPV6, IPV6_SERVICES, '2001:db8::2'],
    ['that address for 0.0.0.0', IPV4, { apiserverAdvertiseAddress: '0.0.0.0' }, ADDRESS],
    ['the address of the flag', IPV4, { apiserverAdvertiseAddress: '10.110.0.7' }, '10.110.0.7'],
    ['the address of the flag if the kernel lists none', {}, { apiserverAdvertiseAddress: '192.0.2.9' }, '192.0.2.9'],
    [
      'an address that the machine does not have, if etcd is external',
      IPV4,
      { apiserverAdvertiseAddress: '192.0.2.9', clusterConfiguration: { ...CONFIGURATION, etcd: { external: {} } } },
      '192.0.2.9',
    ],
    [
      'a loopback address in a cluster whose endpoint is one',
      {},
      {
        apiserverAdvertiseAddress: '127.1.0.2',
        clusterConfiguration: { ...CONFIGURATION, controlPlaneEndpoint: '127.0.0.1:40123' },
      },
      '127.1.0.2',
    ],
    [
      'the address of the flag in its shortest form',
      IPV6,
      { apiserverAdvertiseAddress: '2001:DB8:0:0::2', ...IPV6_SERVICES },
      '2001:db8::2',
    ],
  ])('takes %s', async (_, files, inputs, advertiseAddress) => {
    expect((await run(files, inputs)).outputs).toMatchObject({ advertiseAddress, bindPort: 6443 });
  });

  test.each([
    ['v1.36.2', `https://${ADDRESS}:8443`],
    ['v1.32.9', SERVER],
  ])('in a cluster of %s, the kubelet uses %s', async (kubernetesVersion, kubeletServer) => {
    const clusterConfiguration = { ...CONFIGURATION, kubernetesVersion };
    const { outputs } = await run(IPV4, { clusterConfiguration, apiserverBindPort: 8443 });
    expect(outputs).toMatchObject({ kubeletServer });
  });

  test.each([
    ['this machine has no address on an interface with a default route', {}, {}],
    ['other machines cannot reach this one at 127.0.0.1', IPV4, { apiserverAdvertiseAddress: '127.0.0.1' }],
    ['other machines cannot reach this one at fe80::1', IPV4, { apiserverAdvertiseAddress: 'fe80::1' }],
    [
      'etcd would listen at 192.0.2.9, and this machine has other addresses (10.110.0.7, 198.51.100.12)',
      IPV4,
      { apiserverAdvertiseAddress: '192.0.2.9' },
    ],
    [
      'the API server does not start at 2001:db8::2, because the first subnet of Services, 10.96.0.0/12, is of the ' +
        'other IP family',
      IPV6,
      {},
    ],
    [
      `the API server does not start at ${ADDRESS}, because the first subnet of Services, fd00::/112, is of the ` +
        'other IP family',
      IPV4,
      IPV6_SERVICES,
    ],
    ['1.2.3.999 is not an IP address', IPV4, { apiserverAdvertiseAddress: '1.2.3.999' }],
  ])('fails because %s', async (what, files, inputs) => {
    expect((await run(files, inputs)).error).toMatchObject({ code: 'E_ADVERTISE_ADDRESS', facts: { what } });
  });

  test('local-api-endpoint reports all that the configuration of the cluster lacks for a control plane', async () => {
    const clusterConfiguration = { kubernetesVersion: 'v1.36.2', apiServer: [], etcd: { local: { dataDir: 'x' } } };
    expect((await run(IPV4, { clusterConfiguration })).error).toMatchObject({
      code: 'E_CLUSTER_CONFIGURATION',
      facts: {
        problems: [
          'apiServer is [], not a mapping',
          'controlPlaneEndpoint is missing: control planes can only join a cluster with a stable endpoint',
          'imageRepository is missing',
          'networking.serviceSubnet is missing',
          'etcd.local.dataDir is x, not an absolute path',
        ],
      },
    });
  });
});
