/** Requests the certificate by which the kubelet serves, and waits until somebody has approved it. */
import type { CsrObject, KubeletIdentity } from '../../engine/node/index.ts';
import type { Sdk } from '../../engine/node/sdk.ts';
import type { KubeApi, Ports, Secret } from '../../engine/sdk/index.ts';
import { issuedIn, servingProblems } from './certificate.ts';

/** Source: Kubernetes API, CertificateSigningRequest, kubernetes.io/kubelet-serving: before 1.22 exactly these. */
const SIGNER = 'kubernetes.io/kubelet-serving';
const USAGES = ['digital signature', 'key encipherment', 'server auth'];
const PKI = '/var/lib/kubelet/pki';
/** Where a kubelet with serverTLSBootstrap looks for it, and rotates it. */
const CURRENT = `${PKI}/kubelet-server-current.pem`;

export const input = {
  type: 'object',
  properties: {
    addresses: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'IP addresses and names of the node beside its own name; left out: the address that it reaches the server from',
    },
  },
  additionalProperties: false,
} as const;

export const servingCert = (sdk: Sdk) => {
  const refuse = (what: string, hint: string) =>
    sdk.JoinError.own({ code: 'E_SERVING_CERT', message: `the kubelet gets no serving certificate: ${what}`, hint });

  /** The request of this key, sent, or found to be there already. */
  async function requested(
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
    const there = await api.get<CsrObject>(ref);
    if (there === undefined) throw sdk.fail('E_CSR_GONE', { csr: ref.name });
    const theirs = readCsr(Buffer.from(there.spec.request, 'base64').toString('utf8'));
    if (!theirs.publicKey.equals(Buffer.from(publicKey)))
      throw sdk.fail('E_CSR_CONFLICT', { csr: ref.name, what: 'it is for another key' });
    return there;
  }

  async function namesOf(
    { commands }: Ports,
    { server, nodeName }: KubeletIdentity,
    given: readonly string[],
  ): Promise<string[]> {
    if (given.length > 0) return [nodeName, ...given];
    const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
    const argv = ['ip', '-json', 'route', 'get', host];
    const { stdout } = await commands.query(argv);
    const source = /"prefsrc": *"([0-9a-fA-F.:]+)"/.exec(stdout)?.[1];
    if (source === undefined)
      throw refuse(
        `${argv.join(' ')} does not tell this machine's address`,
        'Give the node\'s addresses to the step: addresses: ["10.0.0.7"]',
      );
    return [nodeName, source];
  }

  return sdk.definePhase({
    name: 'serving-cert',
    summary: "Have the cluster's CA sign the certificate by which the kubelet serves",
    input,
    output: { type: 'object' },
    effects: [
      sdk.runs('ip', "this machine's address"),
      sdk.apiCalls(['get', 'watch', 'create'], 'certificatesigningrequests', 'the request'),
      sdk.writes(`${PKI}/kubelet-server-*.pem`, 0o600, 'certificate and key, and the link to them'),
    ],
    irreversible: 'the request stays until the cluster drops it, an hour after it was signed',

    async run(ports, { addresses }) {
      const { files, kube, random, clock, log } = ports;
      const held = await sdk.node.kubeletIdentity(files);
      if (held === undefined) throw refuse('it has no identity yet', 'Put the step serving-cert behind kubeconfig.');
      const config = sdk.parseYaml((await files.read(sdk.node.paths.kubeletConfig))?.toString('utf8') ?? '') as {
        serverTLSBootstrap?: unknown;
      } | null;
      if (config?.serverTLSBootstrap !== true)
        throw refuse(
          'without serverTLSBootstrap: true in its configuration it would not use one',
          'Set it for the cluster: kubectl -n kube-system edit configmap kubelet-config',
        );
      const names = await namesOf(ports, held, addresses);
      const wanted = { commonName: sdk.node.nodeUser(held.nodeName), names, now: clock.now() };
      const there = (await files.read(CURRENT))?.toString('utf8') ?? '';
      if (servingProblems(sdk, there, there, wanted).length === 0) {
        log.info('nothing to do: the kubelet has a serving certificate that holds');
        return {};
      }
      const { server, ca, certificate: pem, key: clientKey } = held;
      const api = kube.as({ server, ca, certificate: { pem, key: clientKey } });
      const key = await random.once('serving-key', sdk.pki.generateKeyPem);
      const sent = await requested(api, held, names, key);
      const { name = '' } = sent.metadata;
      log.warn(`${name} waits for a human: kubectl certificate approve ${name}`);
      const signed = await api.waitFor<CsrObject>(sdk.node.csrRef(name), (csr) => issuedIn(sdk, name, csr), sent);
      const certificate = Buffer.from(signed.status?.certificate ?? '', 'base64').toString('utf8');
      const problems = servingProblems(sdk, certificate, key.reveal(), wanted);
      if (problems.length > 0) throw sdk.fail('E_CERTIFICATE_WRONG', { csr: name, problems });
      const file = `${PKI}/kubelet-server-${stampOf(clock.now())}.pem`;
      await files.write(file, new sdk.Secret(`${certificate.trim()}\n${key.reveal().trim()}\n`), 0o600);
      await files.link(CURRENT, file);
      return {};
    },
  });
};

/** As the kubelet names its files: 2006-01-02-15-04-05. */
const stampOf = (now: Date): string => now.toISOString().slice(0, 19).replace(/[T:]/g, '-');

export default (sdk: Sdk) => sdk.definePlugin({ phases: [servingCert(sdk)] });
