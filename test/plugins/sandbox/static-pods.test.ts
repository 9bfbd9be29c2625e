/** How the stand-in kubelet and its containers check what a control plane writes. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCa, issueKeyPair } from '../../../plugins/sandbox/certificates.ts';
import { Container } from '../../../plugins/sandbox/control-plane/container.ts';
import { startEtcd } from '../../../plugins/sandbox/control-plane/etcd.ts';
import { type ControlPlaneSandbox, startControlPlaneSandbox } from '../../../plugins/sandbox/control-plane/index.ts';
import { readStaticPod } from '../../../plugins/sandbox/machine/pod-manifest.ts';

const GOLDEN = 'test/phases/golden/control-plane-1.36/manifests';
const golden = (name: string): Promise<string> => readFile(`${GOLDEN}/${name}.yaml`, 'utf8');

describe('the manifests of static Pods, as the stand-in kubelet reads them', () => {
  test('the manifests of kubeadm are accepted', async () => {
    const names = await readdir(GOLDEN);
    const pods = await Promise.all(names.map(async (name) => readStaticPod(await golden(name.slice(0, -5)), 'cp2')));
    expect(pods.map(({ name }) => name)).toEqual(names.map((name) => `${name.slice(0, -5)}-cp2`));
    expect(pods[0]).toMatchObject({
      namespace: 'kube-system',
      command: expect.arrayContaining(['etcd', '--name=cp2']),
    });
  });

  test.each([
    ['another kind', 'kind: Pod', 'kind: Deployment', 'expected a Pod'],
    ['a name with capitals', /^ {2}name: etcd$/m, '  name: Etcd', 'metadata.name: Invalid value'],
    ['a mount without its volume', /^ {6}name: etcd-data$/m, '      name: other', 'volumeMounts: Not found: "other"'],
    ['a probe of an unknown port', 'name: probe-port', 'name: other-port', 'httpGet.port: Invalid value: "probe-port"'],
    ['a relative path of the machine', 'path: /var/lib/etcd', 'path: var/lib/etcd', 'must be an absolute path'],
    ['an unknown type of a path', 'type: DirectoryOrCreate', 'type: Folder', 'Unsupported value: "Folder"'],
    ['no image', /^ {4}image: .*$/m, '', 'image: Required value'],
  ])('a manifest with %s is refused', async (_, from, to, message) => {
    const text = await golden('etcd');
    expect(text.replace(from, to)).not.toBe(text);
    expect(() => readStaticPod(text.replace(from, to), 'cp2')).toThrow(message);
  });
});

describe('the stand-in for etcd in a static Pod', () => {
  const PKI = '/etc/kubernetes/pki/etcd';
  let sandbox: ControlPlaneSandbox;
  let root: string;
  let peerUrl: string;
  beforeAll(async () => {
    sandbox = await startControlPlaneSandbox();
    root = await mkdtemp(join(tmpdir(), 'machine-'));
    peerUrl = `https://${sandbox.advertiseAddress}:2380`;
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(root, { recursive: true });
  });

  const lay = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const pairFor = (
    address: string,
    ca = sandbox.sharedFiles[`${PKI}/ca.crt`] ?? '',
    key = sandbox.sharedFiles[`${PKI}/ca.key`] ?? '',
  ) => {
    const name = { commonName: 'etcd-ca', organizations: [] };
    const authority = { name, cert: ca, key, pin: '', notAfter: new Date(Date.now() + 86_400_000) };
    return issueKeyPair(authority, new Date(), { commonName: 'cp2', organizations: [] }, 'server', [address]);
  };
  const layPair = async (name: string, { cert, key }: { cert: string; key: string }) => {
    await lay(`${PKI}/${name}.crt`, cert);
    await lay(`${PKI}/${name}.key`, key);
  };
  beforeEach(async () => {
    await lay(`${PKI}/ca.crt`, sandbox.etcd.ca);
    for (const name of ['server', 'peer']) await layPair(name, pairFor(sandbox.advertiseAddress));
    const { etcd } = sandbox.etcd;
    if (etcd.members.length === 1) etcd.change('add-learner', peerUrl);
  });

  /** The manifest of kubeadm, with the addresses of this sandbox. */
  async function start(changed: (text: string) => string = (text) => text) {
    const first = sandbox.etcd.etcd.members[0]?.peerUrls[0] ?? '';
    const text = (await golden('etcd'))
      .replaceAll('https://198.51.100.11:2380', first)
      .replaceAll('198.51.100.12', sandbox.advertiseAddress);
    const { command, mounts } = readStaticPod(changed(text), 'cp2');
    return startEtcd(new Container(root, mounts, command), sandbox.etcd);
  }

  test('it starts with the manifest of kubeadm, and a second start finds its data', async () => {
    await (await start()).stop();
    expect(await readdir(join(root, 'var/lib/etcd/member'))).toEqual(['wal']);
    await (await start((text) => text.replace('cp1=', 'unknown='))).stop(); // the members are in its data
    sandbox.etcd.etcd.change('remove', peerUrl);
    await expect(start()).rejects.toThrow('permanently removed from the cluster');
  });

  test.each([
    ['a cluster without the first member', /cp1=[^,\n]*/, 'cp3=https://127.0.0.9:2380', 'unmatched member'],
    ['a cluster of one member', /,cp1=.*/, '', 'member count is unequal'],
    ['a cluster without itself', 'cp2=https', 'cp4=https', `couldn't find local name "cp2"`],
    ['a new cluster', 'state=existing', 'state=new', 'must be existing'],
    [
      'a file that no volume has',
      `--cert-file=${PKI}/server.crt`,
      '--cert-file=/etc/server.crt',
      'open /etc/server.crt',
    ],
    ['a key of another certificate', `--key-file=${PKI}/server.key`, `--key-file=${PKI}/peer.key`, 'does not match'],
  ])('it does not start with %s', async (_, from, to, message) => {
    await expect(start((text) => text.replace(from, to))).rejects.toThrow(message);
    expect(sandbox.etcd.etcd.members.at(-1)).toMatchObject({ name: '', isLearner: true });
  });

  test('it does not start with a certificate for another address, or of another CA', async () => {
    await layPair('server', pairFor('127.0.0.9'));
    await expect(start()).rejects.toThrow(`certificate is not valid for ${sandbox.advertiseAddress}`);
    const other = createCa(new Date(), { commonName: 'etcd-ca', organizations: [] });
    await layPair('peer', pairFor(sandbox.advertiseAddress, other.cert, other.key));
    await expect(start()).rejects.toThrow('signed by unknown authority');
  });
});
