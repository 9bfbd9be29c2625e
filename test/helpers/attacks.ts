/** What an attacker on the path to the cluster can present: certificates, and a forged cluster-info. */
import { expect } from 'vitest';
import {
  generateKeyPem,
  issueCertificate,
  publicKeyDer,
  readCertificates,
  signDetached,
} from '../../engine/pki/index.ts';
import type { Sandbox } from '../../plugins/sandbox/index.ts';

const DAY_MS = 86_400_000;

/** A self-signed certificate, or one that `issuer` signs in the name of the cluster's CA. */
export function certificate({
  use,
  issuer,
  altNames = ['127.0.0.1'],
  fromDays = -1,
  toDays = 1,
}: {
  use: 'ca' | 'server';
  issuer?: string;
  altNames?: string[];
  fromDays?: number;
  toDays?: number;
}) {
  const key = generateKeyPem();
  const cert = issueCertificate({
    subject: { commonName: use === 'ca' ? 'kubernetes' : 'kube-apiserver', organizations: [] },
    publicKey: publicKeyDer(key),
    signingKey: issuer ?? key,
    issuer: { commonName: 'kubernetes', organizations: [] },
    use,
    altNames: use === 'ca' ? [] : altNames,
    notBefore: new Date(Date.now() + fromDays * DAY_MS),
    notAfter: new Date(Date.now() + toDays * DAY_MS),
  });
  return { cert, key };
}

/** What an attacker on the path would answer to the anonymous request. */
export function forge(
  sandbox: Sandbox,
  { bundle, secret, times = 10 }: { bundle: string; secret?: string; times?: number },
): void {
  expect(readCertificates(bundle).length).toBeGreaterThan(0);
  const [id = '', own = ''] = sandbox.token.split('.');
  const kubeconfig = `apiVersion: v1\nkind: Config\nclusters:\n- name: ""\n  cluster:\n    server: https://${sandbox.endpoint}\n    certificate-authority-data: ${Buffer.from(bundle).toString('base64')}\n`;
  sandbox.faults.add({
    effect: 'forged',
    times,
    body: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      data: { kubeconfig, [`jws-kubeconfig-${id}`]: signDetached(kubeconfig, id, secret ?? own) },
    },
  });
}
