/**
 * TLS bootstrap. In mode `direct`, Joinery sends the kubelet's CSR and checks the certificate before it writes
 * anything. In mode `kubelet`, the kubelet gets bootstrap credentials and sends the CSR when it starts.
 */

import {
  type CsrObject,
  csrRef,
  holds,
  joiningIdentity,
  NODES_GROUP,
  nodeUser,
  paths,
  usableIdentity,
} from '../../engine/node/index.ts';
import {
  certificatesPem,
  createCsr,
  csrName,
  generateKeyPem,
  type Name,
  pinOf,
  publicKeyDer,
} from '../../engine/pki/index.ts';
import {
  apiCalls,
  controls,
  definePhase,
  fail,
  isJoinError,
  joineryPaths,
  type KubeApi,
  type ObjectRef,
  type Random,
  type Secret,
  withWitness,
  writes,
} from '../../engine/sdk/index.ts';
import { bootstrapKubeconfig } from './bootstrap-kubeconfig.ts';
import { certificateProblems, conflictWith, isIssued, isRefused, stateOf } from './certificate.ts';
import { input, output } from './schema.ts';

const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';

export default definePhase({
  name: 'tls-bootstrap',
  summary: "Request the node's client certificate from the cluster",
  input,
  output,
  effects: [
    apiCalls(['get'], 'nodes', "the check whether the cluster accepts this machine's existing identity"),
    apiCalls(['get', 'watch', 'create'], 'certificatesigningrequests', 'the request for a client certificate'),
    controls('kubelet', ['stop'], 'in mode kubelet: it must not start with incomplete files'),
    writes(paths.bootstrapKubeletConf, 0o600, 'in mode kubelet: its bootstrap credentials'),
    writes(paths.kubeletConf, undefined, 'in mode kubelet: deleted, so that it requests a certificate'),
    writes(paths.kubeletCurrentPem, undefined, 'in mode kubelet: deleted, so that it requests a certificate'),
  ],
  irreversible: 'the CertificateSigningRequest remains until the cluster deletes it, an hour after it was signed',

  async run({ files, services, kube, clock, random, log }, { identity: joining, nodeName, ...inputs }) {
    const { tlsBootstrapMode, kubeletVersion, kubeletServer } = inputs;
    const { server, ca } = joining;
    const held = await usableIdentity({ files, kube, clock }, { server, ca, nodeName });
    if (held !== undefined) {
      log.info(
        `this machine is already ${nodeName} in this cluster; its certificate expires on ` +
          `${held.notAfter.toISOString().slice(0, 10)}`,
      );
      return { certificate: held.certificate, key: held.key };
    }

    const identity = joiningIdentity(joining);
    const api = kube.as(identity);
    const review = api.can('create', 'certificates.k8s.io', 'certificatesigningrequests', 'nodeclient');

    if (tlsBootstrapMode === 'kubelet') {
      const automatic = await review;
      const kubeletsIdentity = kubeletServer === undefined ? identity : { ...identity, server: kubeletServer };
      await services.stop('kubelet');
      for (const stale of [paths.kubeletConf, paths.kubeletCurrentPem]) await files.remove(stale);
      await files.write(paths.bootstrapKubeletConf, bootstrapKubeconfig(kubeletsIdentity, kubeletVersion), 0o600);
      if (!automatic) log.warn(`the kubelet's CSR will need manual approval:${approvalCommands('NAME')}`);
      return {};
    }

    const subject = { commonName: nodeUser(nodeName), organizations: [NODES_GROUP] };
    // The review only affects the log, so the CSR does not wait for it.
    const [automatic, { key, name, sent }] = await Promise.all([
      review,
      requestCertificate(api, random, { subject, usages: usagesOf(kubeletVersion) }),
    ]);
    if (automatic) log.info(`${name} will be approved automatically`);
    else log.warn(`${name} needs manual approval:${approvalCommands(name)}`);

    const signed = await signedCsr(api, sent, { csr: name, node: nodeName, publicKey: pinOf(publicKeyOf(key)) });
    const certificate = Buffer.from(signed.status?.certificate ?? '', 'base64').toString('utf8');
    const problems = certificateProblems(certificate, key.reveal(), subject, clock.now());
    if (problems.length > 0) throw fail('E_CERTIFICATE_WRONG', { csr: name, problems });
    log.info(`${name} is signed`);
    return { certificate: certificatesPem(certificate), key };
  },
});

/** The usages that a kubelet of this release asks for. Only servers from 1.27 on accept the shorter list. */
const usagesOf = (kubeletVersion: string | undefined): string[] =>
  holds('noKeyEncipherment', kubeletVersion)
    ? ['digital signature', 'client auth']
    : ['digital signature', 'key encipherment', 'client auth'];

/** In the events of the wait: who approves the request can compare it with what this machine reports. */
type ReportedCsr = Record<'csr' | 'node' | 'publicKey', string>;

/** Waits for the certificate. A wait that times out ends with what the CSR said last. */
async function signedCsr(api: KubeApi, { ref, csr }: Sent, about: ReportedCsr): Promise<CsrObject> {
  let last: CsrObject | undefined = csr;
  const done = (seen: CsrObject | undefined) => {
    last = seen;
    return isIssued(about.csr, seen);
  };
  return api.waitFor<CsrObject>(ref, done, csr, about).catch((error: unknown) => {
    throw withWitness(error, stateOf(about.csr, last));
  });
}

/** On lines of their own, so that they are easy to copy. */
const approvalCommands = (name: string): string => `\n    kubectl get csr\n    kubectl certificate approve ${name}`;

/** The key may come from an earlier attempt, so it may be damaged on disk. */
function publicKeyOf(key: Secret): Uint8Array {
  try {
    return publicKeyDer(key.reveal());
  } catch {
    // Without its cause, which could reveal a part of the key.
    throw fail('E_FILE', { path: joineryPaths.runtime, what: 'the key stored in this file is damaged' });
  }
}

/** The certificate to request. */
interface CertificateRequest {
  subject: Name;
  usages: readonly string[];
}

/**
 * Sends or finds the CSR. If the CSR of an earlier attempt was refused or deleted, sends one with a new key. Throws
 * E_CSR_GONE.
 */
async function requestCertificate(api: KubeApi, random: Random, { subject, usages }: CertificateRequest) {
  const send = async (key: Secret) => {
    const name = csrName(publicKeyOf(key), subject, usages);
    return { key, name, sent: await sendCsr(api, { name, usages, pem: createCsr(key.reveal(), subject) }) };
  };
  // The key is saved before the CSR is sent, so a resumed run finds its CSR again.
  let { sent, ...request } = await send(await random.once('client-key', generateKeyPem));
  if (sent === undefined) ({ sent, ...request } = await send(await random.again('client-key', generateKeyPem)));
  if (sent === undefined) throw fail('E_CSR_GONE', { csr: request.name });
  return { ...request, sent };
}

/** A CSR that the server has. */
interface Sent {
  ref: ObjectRef;
  csr: CsrObject;
}

interface Request {
  name: string;
  usages: readonly string[];
  pem: string;
}

/**
 * Sends the CSR in the API version that the server has. Undefined if a CSR of this key exists but was refused or
 * deleted: the key is then useless.
 */
async function sendCsr(api: KubeApi, request: Request): Promise<Sent | undefined> {
  const ref = csrRef(request.name);
  try {
    const csr = await createOrAdopt(api, ref, request, { signerName: SIGNER });
    return csr && { ref, csr };
  } catch (error) {
    const isUnserved =
      isJoinError(error) && error.code === 'E_API_REFUSED' && (error.facts as { status?: number }).status === 404;
    if (!isUnserved) throw error;
  }
  // Servers up to 1.18 have no signerName: they recognize a kubelet's CSR by its content.
  const older = csrRef(request.name, 'v1beta1');
  const csr = await createOrAdopt(api, older, request, {});
  return csr && { ref: older, csr };
}

/** Creates the CSR. If one with its name exists and is the same request, returns that one. */
async function createOrAdopt(
  api: KubeApi,
  ref: ObjectRef,
  { name, usages, pem }: Request,
  signer: { signerName?: string },
) {
  const object: CsrObject = {
    apiVersion: ref.apiVersion,
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: { request: Buffer.from(pem).toString('base64'), ...signer, usages },
  };
  const created = await api.create<CsrObject>(ref, object);
  if (created !== undefined) return created;
  const existing = await api.get<CsrObject>(ref);
  if (existing === undefined || isRefused(existing)) return undefined;
  const conflict = conflictWith(existing, pem);
  if (conflict !== undefined) throw fail('E_CSR_CONFLICT', { csr: name, what: conflict });
  return existing;
}
