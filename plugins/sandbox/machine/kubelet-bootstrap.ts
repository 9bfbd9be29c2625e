/** TLS bootstrap of the stand-in kubelet, in the order of the real one: kubeconfig, CSR, certificate. */
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { holds } from '../../../engine/node/index.ts';
import { createCsr, generateKeyPem } from '../../../engine/pki/index.ts';
import { type CertificateSigningRequest, hasCondition } from '../objects.ts';
import { type ApiCall, callApi } from './kubelet-api.ts';
import { KUBECONFIG, type KubeletFiles } from './kubelet-files.ts';
import { type Caller, type KubeletIdentity, readIdentity } from './kubelet-identity.ts';
import { machinePath } from './machine-path.ts';

const PKI = '/var/lib/kubelet/pki';
const CURRENT = `${PKI}/kubelet-client-current.pem`;
const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const POLL_MS = 100;

/** Resolves when the CSR is approved and signed. */
export async function bootstrap(
  root: string,
  caller: Caller,
  { nodeName, version }: Pick<KubeletFiles, 'nodeName' | 'version'>,
  signal: AbortSignal,
): Promise<KubeletIdentity> {
  const write = async (path: string, text: string): Promise<void> => {
    const target = await machinePath(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, { mode: 0o600 });
  };
  const kubeconfig = kubeconfigOf(caller, version);
  await write(KUBECONFIG, kubeconfig);
  const key = generateKeyPem();
  const csr = createCsr(key, { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] });
  const certificate = await requestCertificate(caller, { csr, version }, signal);
  const pem = `${PKI}/kubelet-client-${stampOf(new Date())}.pem`;
  await write(pem, certificate + key);
  const updated = join(root, `${PKI}/kubelet-client-updated.pem`);
  await symlink(pem, updated);
  await rename(updated, join(root, CURRENT));
  return readIdentity(kubeconfig, new Date(), async () => certificate + key);
}

async function requestCertificate(
  caller: Caller,
  { csr, version }: { csr: string; version: string },
  signal: AbortSignal,
): Promise<string> {
  const body = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: 'csr-' },
    spec: {
      request: Buffer.from(csr).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: [
        'digital signature',
        ...(holds('noKeyEncipherment', version) ? [] : ['key encipherment']),
        'client auth',
      ],
    },
  };
  const call = async (request: ApiCall) =>
    JSON.parse(await callApi(caller, request, 'request signed certificate', signal)) as CertificateSigningRequest;
  const { metadata } = await call({ method: 'POST', path: CSRS, contentType: 'application/json', body });
  for (;;) {
    const { status } = await call({ method: 'GET', path: `${CSRS}/${metadata.name}` });
    if (hasCondition(status?.conditions, 'Denied')) throw new Error('certificate signing request was not approved');
    if (status?.certificate !== undefined) return Buffer.from(status.certificate, 'base64').toString();
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** The format of client-go. */
const kubeconfigOf = ({ server, ca }: Caller, version: string): string =>
  stringify(
    {
      apiVersion: 'v1',
      clusters: [
        {
          cluster: { 'certificate-authority-data': Buffer.from(ca).toString('base64'), server },
          name: 'default-cluster',
        },
      ],
      contexts: [
        {
          context: { cluster: 'default-cluster', namespace: 'default', user: 'default-auth' },
          name: 'default-context',
        },
      ],
      'current-context': 'default-context',
      kind: 'Config',
      ...(holds('noPreferences', version) ? {} : { preferences: {} }),
      users: [{ name: 'default-auth', user: { 'client-certificate': CURRENT, 'client-key': CURRENT } }],
    },
    { indentSeq: false, lineWidth: 0 },
  );

/** `2006-01-02-15-04-05` */
const stampOf = (at: Date): string => at.toISOString().slice(0, 19).replace(/[T:]/g, '-');
