import { describe, expect, test } from 'vitest';
import { checked, joinable, withKubelet } from '../helpers/joinable.ts';
import { SIGNAL } from '../helpers/preflight-cases.ts';

const failures = (found: readonly { check: string; evidence: string }[]) =>
  found.map(({ check, evidence }) => `[${check}] ${evidence}`);

describe('labels of the kubelet', () => {
  const labelled = async (version: string, ...values: string[]) => {
    const kubeletExtraArgs = values.map((value) => ({ name: 'node-labels', value }));
    return failures((await checked(joinable(withKubelet(version)), { kubeletExtraArgs })).found);
  };

  test.each([
    'node-role.kubernetes.io/worker=',
    'kubernetes.io/role=worker',
    'node.k8s.io/x=y',
    'a=b,node-restriction.kubernetes.io/x=y',
  ])('the label %s is refused before the request', async (label) => {
    expect(await labelled('v1.30.2', label)).toEqual([
      expect.stringMatching(/^\[NodeLabels\] a kubelet may not set these labels, and would not start: \S+$/),
    ]);
  });

  test.each([
    ['role', 'role'],
    ['=x', '=x'],
    ['a b=c,ok=1', 'a b=c'],
    ['a=b c', 'a=b c'],
    ['Example.com/a=b,-x=1', 'Example.com/a=b, -x=1'],
    [`a=${'b'.repeat(64)}`, `a=${'b'.repeat(64)}`],
    ['a/b/c=d', 'a/b/c=d'],
  ])('the labels %j are refused, because the kubelet would not start or not register', async (labels, named) => {
    expect(await labelled('v1.30.2', labels)).toEqual([
      `[NodeLabels] these labels do not have the form of a label, NAME=VALUE: ${named}`,
    ]);
  });

  test.each([
    'a=b',
    'a=',
    ' a_b.c = D-1 ,',
    'example.com/role=worker',
    'kubernetes.io/hostname=w1',
    'topology.kubernetes.io/zone=a',
    'node.kubernetes.io/pool=a',
    'x.kubelet.kubernetes.io/y=z',
    'kubernetes.io.example/x=y',
    '',
  ])('the label %j is accepted', async (label) => {
    expect(await labelled('v1.30.2', label)).toEqual([]);
  });

  test('a kubelet before 1.16 starts with any label', async () => {
    expect(await labelled('v1.15.12', 'node-role.kubernetes.io/worker=')).toEqual([]);
  });
});

describe('directories that cannot be written', () => {
  test.each([
    ['/dev/sda1 / ext4 rw 0 0\n', []],
    ['/dev/sda1 / ext4 ro,relatime 0 0\n', ['/etc/kubernetes is on a read-only file system, mounted at /']],
    [
      '/dev/sda1 / ext4 rw 0 0\nx /etc ext4 ro 0 0\n',
      ['/etc/kubernetes is on a read-only file system, mounted at /etc'],
    ],
    ['/dev/sda1 / ext4 ro 0 0\nx /etc ext4 rw 0 0\ny /var ext4 rw 0 0\n', []],
    ['x / ext4 rw 0 0\nx /etc ext4 ro 0 0\nx /etc ext4 rw 0 0\n', []],
    [
      'x / ext4 rw 0 0\nx /var/lib ext4 ro 0 0\n',
      ['/var/lib/kubelet is on a read-only file system, mounted at /var/lib'],
    ],
    ['x / ext4 rw 0 0\nx /etc/kubernetes-old ext4 ro 0 0\n', []],
  ])('with the mounts %j, preflight reports the failures %j', async (table, expected) => {
    const { found } = await checked(joinable({ files: { '/proc/self/mounts': table } }));
    expect(found.map(({ evidence }) => evidence)).toEqual(expected);
  });

  test.each(['/etc/kubernetes', '/var/lib/kubelet', '/var'])('a link %s that dangles fails', async (path) => {
    const { found } = await checked(joinable(), {}, async (host) => {
      await host.apply({ kind: 'link', path, target: '/data/nowhere' }, SIGNAL);
    });
    expect(found).toMatchObject([
      { check: 'WritablePaths', evidence: `${path} is a link to /data/nowhere, which does not exist` },
    ]);
  });

  test('a link from the directory of certificates that dangles fails', async () => {
    const path = '/var/lib/kubelet/pki';
    const { found } = await checked(joinable({ directories: ['/var/lib/kubelet'] }), {}, async (host) => {
      await host.apply({ kind: 'link', path, target: '/data/nowhere' }, SIGNAL);
    });
    expect(failures(found)).toEqual([`[WritablePaths] ${path} is a link to /data/nowhere, which does not exist`]);
  });

  test.each(['/var/lib/kubelet/config.yaml', '/var/lib/kubelet/kubeadm-flags.env'])(
    'a directory in the place of the file %s fails',
    async (path) => {
      const { found } = await checked(joinable({ directories: [path] }));
      expect(found).toMatchObject([
        { check: 'WritablePaths', evidence: `${path} is a directory, and in the way of a file`, hint: `rmdir ${path}` },
      ]);
    },
  );

  test('a file in the place of a directory fails', async () => {
    const { found } = await checked(joinable({ files: { '/etc/kubernetes': '' } }));
    expect(failures(found)).toEqual(['[WritablePaths] /etc/kubernetes is not a directory']);
  });
});
