import { describe, expect, test } from 'vitest';
import { checked, joinable, SWAPPING, withKubelet, withoutPrograms } from '../helpers/joinable.ts';

describe('severity by the version of the kubelet', () => {
  const bent = (version: string) =>
    checked(
      withoutPrograms(['crictl', 'conntrack'], {
        ...withKubelet(version),
        files: {
          ...SWAPPING,
          '/proc/sys/net/bridge/bridge-nf-call-iptables': '0',
          '/proc/sys/net/ipv4/ip_forward': '0',
          '/etc/kubernetes/manifests/mine.yaml': '',
        },
      }),
    );
  const all = [
    'DirAvailable--etc-kubernetes-manifests',
    'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables',
    'FileContent--proc-sys-net-ipv4-ip_forward',
    'Swap',
    'FileExisting-crictl',
    'FileExisting-conntrack',
  ];

  test.each<[string, string[]]>([
    ['v1.20.2', all],
    ['v1.29.9', all],
    ['v1.30.0', all.filter((name) => !name.includes('bridge'))],
    ['v1.31.0', []],
    ['v1.36.0-alpha.1', []],
  ])('for a kubelet %s, the errors are %j', async (version, errors) => {
    const { found } = await bent(version);
    expect(found.map(({ check }) => check)).toEqual(all);
    expect(found.filter(({ result }) => result === 'error').map(({ check }) => check)).toEqual(errors);
  });

  test('the rules for old kubelets apply if the version is unknown', async () => {
    const { found } = await checked({ ...joinable({ files: SWAPPING }), programs: [] });
    expect(found).toContainEqual(expect.objectContaining({ check: 'Swap', result: 'error' }));
  });
});
