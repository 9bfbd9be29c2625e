/** `join certs upload`, and the join command of a control plane. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSealed } from '../../engine/pki/index.ts';
import type { Sandbox } from '../../plugins/sandbox/index.ts';
import type { KubeObject, Secret } from '../../plugins/sandbox/objects.ts';
import { SHARED } from '../helpers/control-plane.ts';
import { cli, scene } from './cli.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certs-'));
});
afterEach(() => rm(folder, { recursive: true }));

const sharedOf = (sandbox: Sandbox): Record<string, string> => ({
  ...SHARED,
  'ca.crt': sandbox.caPem,
  'ca.key': sandbox.caKeyPem,
});

/** A control plane of the cluster, as a root directory; `changed` replaces files, or removes them with undefined. */
async function controlPlane(changed: Record<string, string | undefined> = {}) {
  const { sandbox } = await scene();
  const kubeconfig = join(folder, 'admin.conf');
  await writeFile(kubeconfig, sandbox.adminKubeconfig);
  for (const [name, content] of Object.entries({ ...sharedOf(sandbox), ...changed })) {
    const path = join(folder, 'm/etc/kubernetes/pki', name);
    await mkdir(dirname(path), { recursive: true });
    if (content !== undefined) await writeFile(path, content);
  }
  const upload = (...words: string[]) =>
    cli(['certs', 'upload', '--kubeconfig', kubeconfig, '--root', join(folder, 'm'), ...words]);
  const stored = () => sandbox.store.get<Secret>('secrets', 'kubeadm-certs', 'kube-system');
  return { sandbox, kubeconfig, upload, stored };
}

describe('join certs upload', () => {
  test('certs upload stores the shared certificates, and prints the only key that decrypts them', async () => {
    const { sandbox, upload, stored } = await controlPlane();
    const { code, stdout, stderr } = await upload();
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^The cluster has the certificates until \d{4}-.*Z\. /)]);
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    const opened = Object.entries(stored()?.data ?? {}).map(([name, text]) => [
      name.replace('etcd-', 'etcd/'),
      openSealed(stdout.trim(), Buffer.from(text, 'base64')).toString(),
    ]);
    expect(Object.fromEntries(opened)).toEqual(sharedOf(sandbox));
    expect(JSON.stringify(sandbox.store.list('secrets', 'kube-system'))).not.toContain(stdout.trim());
  });

  test('the Secret belongs to a token without usages and groups, with which the cluster deletes it', async () => {
    const { sandbox, upload, stored } = await controlPlane();
    await upload();
    const [owner] = (stored() as KubeObject & { metadata: { ownerReferences: { name: string; uid: string }[] } })
      .metadata.ownerReferences;
    const token = sandbox.store.get<Secret>('secrets', owner?.name ?? '', 'kube-system');
    expect(owner).toMatchObject({
      kind: 'Secret',
      uid: token?.metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    });
    expect(Object.keys(token?.data ?? {}).sort()).toEqual(['description', 'expiration', 'token-id', 'token-secret']);
  });

  test('a second upload replaces the first, also with a key that the user chooses', async () => {
    const { sandbox, upload, stored } = await controlPlane();
    await upload();
    const key = 'ab'.repeat(32);
    expect(await upload('--certificate-key', key)).toMatchObject({ code: 0, stdout: `${key}\n` });
    const text = stored()?.data?.['ca.crt'] ?? '';
    expect(openSealed(key, Buffer.from(text, 'base64')).toString()).toBe(sandbox.caPem);
  });

  test('the key of an external CA is stored as an empty value, and certs upload says so', async () => {
    const { upload, stored } = await controlPlane({ 'ca.key': undefined });
    expect((await upload()).stderr).toContain('/etc/kubernetes/pki/ca.key does not exist, so ca.key is empty');
    expect(stored()?.data?.['ca.key']).toBe('');
  });

  test.each([
    ['a missing key of service accounts', { 'sa.key': undefined }, [], 'E_CONTROL_PLANE_CERTIFICATES', 'sa.key'],
    ['the CA of another cluster', { 'ca.crt': SHARED['ca.crt'] }, [], 'E_CERTS_CA', 'sha256:'],
    ['a CA that is not a certificate', { 'ca.crt': 'x' }, [], 'E_CERTS_CA', 'no certificate'],
    ['a key of the wrong form', {}, ['--certificate-key', 'f00'], 'E_INPUT', 'must be 64 hexadecimal digits'],
  ])('certs upload refuses %s, and stores nothing', async (_, changed, words, code, text) => {
    const { upload, stored } = await controlPlane(changed);
    const outcome = await upload(...words);
    expect([outcome.code === 0, outcome.stdout]).toEqual([false, '']);
    expect(outcome.stderr).toContain(code);
    expect(outcome.stderr).toContain(text);
    expect(stored()).toBeUndefined();
  });
});

describe('join token create --certificate-key', () => {
  test('token create prints the join command of a control plane', async () => {
    const { kubeconfig } = await controlPlane();
    const key = 'cd'.repeat(32);
    const words = ['token', 'create', '--kubeconfig', kubeconfig, '--certificate-key', key];
    const { stdout } = await cli([...words, '--print-join-command']);
    expect(stdout).toMatch(/^join run 127\.0\.0\.1:\d+ --token \S+ --discovery-token-ca-cert-hash sha256:\S+ /);
    expect(stdout).toMatch(new RegExp(` --control-plane --certificate-key ${key}\n$`));
    expect((await cli(words)).stderr).toContain('--certificate-key only applies with --print-join-command');
  });
});
