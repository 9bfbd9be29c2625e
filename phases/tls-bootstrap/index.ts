/** TLS bootstrap, mode `direct`: the CSR that the kubelet would send is sent here, and its answer checked before anything is written. */
import { createCsr, csrName, generateKeyPem, publicKeyDer } from '../../engine/pki/index.ts';
import {
  type CsrObject,
  calls,
  csrRef,
  definePhase,
  fail,
  type KubeApi,
  NODES_GROUP,
  nodeUser,
  type Secret,
  usableIdentity,
} from '../../engine/sdk/index.ts';
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
    calls(['get'], 'nodes', 'whether the cluster still takes the identity that is here'),
    calls(['get', 'watch', 'create'], 'certificatesigningrequests', 'the request for a client certificate'),
  ],
  irreversible: 'the CertificateSigningRequest stays until the cluster cleans it up, an hour after it was signed',

  async run({ files, kube, clock, random, log }, { server, ca, token, nodeName }) {
    const held = await usableIdentity({ files, kube, clock }, { server, ca, nodeName });
    if (held !== undefined) {
      log.info(
        `this machine already is ${nodeName} in this cluster, until ${held.notAfter.toISOString().slice(0, 10)}`,
      );
      return { certificate: held.certificate, key: held.key };
    }

    const api = kube.as({ server, ca, token });
    const automatic = await api.can('create', 'certificates.k8s.io', 'certificatesigningrequests', 'nodeclient');

    const subject = { commonName: nodeUser(nodeName), organizations: [NODES_GROUP] };
    const requestFor = (key: Secret) => {
      const name = csrName(publicKeyDer(key.reveal()), subject, USAGES);
      return { key, name, pem: createCsr(key.reveal(), subject) };
    };
    // Durable before the request: after a crash it finds its CSR again.
    let request = requestFor(await random.once('client-key', generateKeyPem));
    let sent = await sendCsr(api, request);
    if (sent === undefined) {
      request = requestFor(await random.again('client-key', generateKeyPem));
      sent = await sendCsr(api, request);
    }
    const { key, name } = request;
    if (sent === undefined) throw fail('E_CSR_GONE', { csr: name });
    if (automatic) log.info(`${name} will be approved automatically`);
    else log.warn(`${name} waits for a human: kubectl certificate approve ${name}`);

    const signed = await api.waitFor<CsrObject>(csrRef(name), (csr) => issued(name, csr), sent);
    const certificate = Buffer.from(signed.status?.certificate ?? '', 'base64').toString('utf8');
    const problems = certificateProblems(certificate, key.reveal(), subject, clock.now());
    if (problems.length > 0) throw fail('E_CERTIFICATE_WRONG', { csr: name, problems });
    log.info(`${name} is signed`);
    return { certificate, key };
  },
});

/** Sends the request; where its name is taken, adopts what is there if it asks for the same. Undefined where that was refused or is gone: its key is of no more use. */
async function sendCsr(api: KubeApi, { name, pem }: { name: string; pem: string }): Promise<CsrObject | undefined> {
  const request = Buffer.from(pem).toString('base64');
  const object: CsrObject = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: { request, signerName: SIGNER, usages: USAGES },
  };
  const created = await api.create<CsrObject>(csrRef(name), object);
  if (created !== undefined) return created;
  const there = await api.get<CsrObject>(csrRef(name));
  if (there === undefined || isRefused(there)) return undefined;
  const conflict = conflictWith(there, pem);
  if (conflict !== undefined) throw fail('E_CSR_CONFLICT', { csr: name, what: conflict });
  return there;
}
