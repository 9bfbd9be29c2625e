import { describe, expect, test } from 'vitest';
import { checked, joinable, SWAPPING, withKubelet, withoutPrograms } from '../helpers/joinable.ts';

describe("what today's kubeadm is mild about", () => {
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
  ])('is for a kubelet %s an error in %j', async (version, errors) => {
    const { found } = await bent(version);
    expect(found.map(({ check }) => check)).toEqual(all);
    expect(found.filter(({ result }) => result === 'error').map(({ check }) => check)).toEqual(errors);
  });

  test('is an error where nobody knows which kubelet there is', async () => {
    const { found } = await checked({ ...joinable({ files: SWAPPING }), programs: [] });
    expect(found).toContainEqual(expect.objectContaining({ check: 'Swap', result: 'error' }));
  });
});
