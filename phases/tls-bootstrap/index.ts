/**
 * TLS bootstrap. Mode `direct`: the CSR that the kubelet would send is sent here, and its answer checked before anything is written.
 * Mode `kubelet`: the kubelet gets what it needs to send it when it starts.
 */

import {
  type CsrObject,
  csrRef,
  joiningIdentity,
  NODES_GROUP,
  nodeUser,
  paths,
  usableIdentity,
} from '../../engine/node/index.ts';
import { createCsr, csrName, generateKeyPem, type Name, publicKeyDer } from '../../engine/pki/index.ts';
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
  writes,
} from '../../engine/sdk/index.ts';
import { bootstrapKubeconfig } from './bootstrap-kubeconfig.ts';
import { certificateProblems, conflictWith, isRefused, issued } from './certificate.ts';
import { input, output } from './schema.ts';

const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const USAGES = ['digital signature', 'key encipherment', 'client auth'];

export default definePhase({
  name: 'tls-bootstrap',
  summary: "Get the node's own certificate from the cluster",
  input,
  output,
  effects: [
    apiCalls(['get'], 'nodes', 'whether the cluster still takes the identity that is here'),
    apiCalls(['get', 'watch', 'create'], 'certificatesigningrequests', 'the request for a client certificate'),
    controls('kubelet', ['stop'], 'in mode kubelet: it must not start on half of its files'),
    writes(paths.bootstrapKubeletConf, 0o600, 'in mode kubelet: what it asks for its certificate with'),
    writes(paths.kubeletConf, undefined, 'in mode kubelet: removed, or it would not ask'),
    writes(paths.kubeletCurrentPem, undefined, 'the same'),
  ],
  irreversible: 'the CertificateSigningRequest stays until the cluster cleans it up, an hour after it was signed',

  async run({ files, services, kube, clock, random, log }, { nodeName, tlsBootstrapMode, ...cluster }) {
    const { server, ca } = cluster;
    const held = await usableIdentity({ files, kube, clock }, { server, ca, nodeName });
    if (held !== undefined) {
      log.info(
        `this machine already is ${nodeName} in this cluster, until ${held.notAfter.toISOString().slice(0, 10)}`,
      );
      return { certificate: held.certificate, key: held.key };
    }

    const identity = joiningIdentity(cluster);
    const api = kube.as(identity);
    const review = api.can('create', 'certificates.k8s.io', 'certificatesigningrequests', 'nodeclient');

    if (tlsBootstrapMode === 'kubelet') {
      const automatic = await review;
      await services.stop('kubelet');
      for (const stale of [paths.kubeletConf, paths.kubeletCurrentPem]) await files.remove(stale);
      await files.write(paths.bootstrapKubeletConf, bootstrapKubeconfig(identity), 0o600);
      if (!automatic) log.warn(`the request of the kubelet will wait for a human, who types:${approving('NAME')}`);
      return {};
    }

    const subject = { commonName: nodeUser(nodeName), organizations: [NODES_GROUP] };
    // What the review says is only told, so the request does not wait for it.
    const [automatic, { key, name, sent }] = await Promise.all([review, requested(api, random, subject)]);
    if (automatic) log.info(`${name} will be approved automatically`);
    else log.warn(`${name} waits for a human, who types:${approving(name)}`);

    const signed = await api.waitFor<CsrObject>(sent.ref, (csr) => issued(name, csr), sent.csr);
    const certificate = Buffer.from(signed.status?.certificate ?? '', 'base64').toString('utf8');
    const problems = certificateProblems(certificate, key.reveal(), subject, clock.now());
    if (problems.length > 0) throw fail('E_CERTIFICATE_WRONG', { csr: name, problems });
    log.info(`${name} is signed`);
    return { certificate, key };
  },
});

/** On lines of their own, to be copied. */
const approving = (name: string): string => `\n    kubectl get csr\n    kubectl certificate approve ${name}`;

/** Of a key that an earlier try may have kept. */
function publicKeyOf(key: Secret): Uint8Array {
  try {
    return publicKeyDer(key.reveal());
  } catch {
    throw fail('E_FILE', { path: joineryPaths.runtime, what: 'the key that was kept here is damaged' }); // no cause: it may tell of the key
  }
}

/** A request in the cluster and its key; where the one of an earlier try was refused or is gone, a new one. E_CSR_GONE. */
async function requested(api: KubeApi, random: Random, subject: Name) {
  const send = async (key: Secret) => {
    const name = csrName(publicKeyOf(key), subject, USAGES);
    return { key, name, sent: await sendCsr(api, { name, pem: createCsr(key.reveal(), subject) }) };
  };
  // Durable before the request: after a crash it finds its CSR again.
  let { sent, ...request } = await send(await random.once('client-key', generateKeyPem));
  if (sent === undefined) ({ sent, ...request } = await send(await random.again('client-key', generateKeyPem)));
  if (sent === undefined) throw fail('E_CSR_GONE', { csr: request.name });
  return { ...request, sent };
}

interface Request {
  name: string;
  pem: string;
}

/** In the version of the API that the server has. Undefined where what is there was refused, or is gone: its key is of no more use. */
async function sendCsr(api: KubeApi, request: Request): Promise<{ ref: ObjectRef; csr: CsrObject } | undefined> {
  const ref = csrRef(request.name);
  try {
    const csr = await createOrAdopt(api, ref, request, { signerName: SIGNER });
    return csr && { ref, csr };
  } catch (error) {
    const isUnserved =
      isJoinError(error) && error.code === 'E_API_REFUSED' && (error.facts as { status?: number }).status === 404;
    if (!isUnserved) throw error;
  }
  // Up to 1.18. Who signs is not asked there: the server sees by its content that it is a kubelet's.
  const older = csrRef(request.name, 'v1beta1');
  const csr = await createOrAdopt(api, older, request, {});
  return csr && { ref: older, csr };
}

/** Where its name is taken, what is there, if it asks for the same. */
async function createOrAdopt(api: KubeApi, ref: ObjectRef, { name, pem }: Request, signer: { signerName?: string }) {
  const object: CsrObject = {
    apiVersion: ref.apiVersion,
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: { request: Buffer.from(pem).toString('base64'), ...signer, usages: USAGES },
  };
  const created = await api.create<CsrObject>(ref, object);
  if (created !== undefined) return created;
  const there = await api.get<CsrObject>(ref);
  if (there === undefined || isRefused(there)) return undefined;
  const conflict = conflictWith(there, pem);
  if (conflict !== undefined) throw fail('E_CSR_CONFLICT', { csr: name, what: conflict });
  return there;
}
