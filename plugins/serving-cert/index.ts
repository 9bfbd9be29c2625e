/** Requests the kubelet's serving certificate and waits for its approval. */
import type { CsrObject, KubeletIdentity } from '../../engine/node/index.ts';
import type { Sdk } from '../../engine/node/sdk.ts';
import type { KubeApi, Ports, Secret } from '../../engine/sdk/index.ts';
import { isIssued, servingProblems } from './certificate.ts';

/** Source: Kubernetes API, CertificateSigningRequest, kubernetes.io/kubelet-serving: before 1.22 exactly these. */
const SIGNER = 'kubernetes.io/kubelet-serving';
const USAGES = ['digital signature', 'key encipherment', 'server auth'];
const PKI = '/var/lib/kubelet/pki';
/** Path at which a kubelet with serverTLSBootstrap reads and rotates its certificate. */
const CURRENT = `${PKI}/kubelet-server-current.pem`;

export const input = {
  type: 'object',
  properties: {
    addresses: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'IP addresses and names of the node, in addition to its own name (default: its address towards the API server)',
    },
  },
  additionalProperties: false,
} as const;

export const servingCert = (sdk: Sdk) => {
  const refuse = (what: string, hint: string) =>
    sdk.JoinError.own({
      code: 'E_SERVING_CERT',
      message: `cannot get a serving certificate for the kubelet: ${what}`,
      hint,
    });

  /** Sends the CSR of this key, or finds it if it exists already. */
  async function requestCertificate(
    api: KubeApi,
    held: KubeletIdentity,
    names: readonly string[],
    key: Secret,
  ): Promise<CsrObject> {
    const { createCsr, csrName, publicKeyDer, readCsr } = sdk.pki;
    const subject = { commonName: sdk.node.nodeUser(held.nodeName), organizations: [sdk.node.NODES_GROUP] };
    const publicKey = publicKeyDer(key.reveal());
    const ref = sdk.node.csrRef(csrName(publicKey, subject, USAGES));
    const request = Buffer.from(createCsr(key.reveal(), subject, names)).toString('base64');
    const spec = { request, signerName: SIGNER, usages: USAGES };
    const [apiVersion, kind] = ['certificates.k8s.io/v1', 'CertificateSigningRequest'];
    const sent = await api.create<CsrObject>(ref, { apiVersion, kind, metadata: { name: ref.name }, spec });
    if (sent !== undefined) return sent;
    const existing = await api.get<CsrObject>(ref);
    if (existing === undefined) throw sdk.fail('E_CSR_GONE', { csr: ref.name });
    const theirs = readCsr(Buffer.from(existing.spec.request, 'base64').toString('utf8'));
    if (!theirs.publicKey.equals(Buffer.from(publicKey)))
      throw sdk.fail('E_CSR_CONFLICT', { csr: ref.name, what: 'it is for another key' });
    return existing;
  }

  async function namesOf(
    { commands }: Ports,
    { server, nodeName }: KubeletIdentity,
    addresses: readonly string[],
  ): Promise<string[]> {
    if (addresses.length > 0) return [nodeName, ...addresses];
    const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
    const argv = ['ip', '-json', 'route', 'get', host];
    const { stdout } = await commands.query(argv);
    const source = /"prefsrc": *"([0-9a-fA-F.:]+)"/.exec(stdout)?.[1];
    if (source === undefined)
      throw refuse(
        `${argv.join(' ')} does not print the address of this machine`,
        'Set the addresses of the node in the step: addresses: ["10.0.0.7"]',
      );
    return [nodeName, source];
  }

  return sdk.definePhase({
    name: 'serving-cert',
    summary: "Get the kubelet's serving certificate from the cluster's CA",
    input,
    output: { type: 'object' },
    effects: [
      sdk.runs('ip', "this machine's address"),
      sdk.apiCalls(['get', 'watch', 'create'], 'certificatesigningrequests', 'the CSR of the serving certificate'),
      sdk.writes(`${PKI}/kubelet-server-*.pem`, 0o600, 'certificate and key, and a link to them'),
    ],
    irreversible: 'the CertificateSigningRequest remains until the cluster deletes it, an hour after it was signed',

    async run(ports, { addresses }) {
      const { files, kube, random, clock, log } = ports;
      const held = await sdk.node.kubeletIdentity(files);
      if (held === undefined)
        throw refuse('the kubelet has no identity yet', 'Put the step serving-cert after kubeconfig.');
      const config = sdk.parseYaml((await files.read(sdk.node.paths.kubeletConfig))?.toString('utf8') ?? '') as {
        serverTLSBootstrap?: unknown;
      } | null;
      if (config?.serverTLSBootstrap !== true)
        throw refuse(
          'its configuration lacks serverTLSBootstrap: true, so it would not use one',
          'Set it for the cluster: kubectl -n kube-system edit configmap kubelet-config',
        );
      const names = await namesOf(ports, held, addresses);
      const expected = { commonName: sdk.node.nodeUser(held.nodeName), names, now: clock.now() };
      const current = (await files.read(CURRENT))?.toString('utf8') ?? '';
      if (servingProblems(sdk, current, current, expected).length === 0) {
        log.info('nothing to do: the kubelet has a valid serving certificate');
        return {};
      }
      const { server, ca, certificate: pem, key: clientKey } = held;
      const api = kube.as({ server, ca, certificate: { pem, key: clientKey } });
      const key = await random.once('serving-key', sdk.pki.generateKeyPem);
      const sent = await requestCertificate(api, held, names, key);
      const { name = '' } = sent.metadata;
      log.warn(`${name} needs manual approval: kubectl certificate approve ${name}`);
      const signed = await api.waitFor<CsrObject>(sdk.node.csrRef(name), (csr) => isIssued(sdk, name, csr), sent);
      const certificate = Buffer.from(signed.status?.certificate ?? '', 'base64').toString('utf8');
      const problems = servingProblems(sdk, certificate, key.reveal(), expected);
      if (problems.length > 0) throw sdk.fail('E_CERTIFICATE_WRONG', { csr: name, problems });
      const file = `${PKI}/kubelet-server-${stampOf(clock.now())}.pem`;
      await files.write(file, new sdk.Secret(`${certificate.trim()}\n${key.reveal().trim()}\n`), 0o600);
      await files.link(CURRENT, file);
      return {};
    },
  });
};

/** The kubelet's format for file names: 2006-01-02-15-04-05. */
const stampOf = (now: Date): string => now.toISOString().slice(0, 19).replace(/[T:]/g, '-');

export default (sdk: Sdk) => sdk.definePlugin({ phases: [servingCert(sdk)] });
