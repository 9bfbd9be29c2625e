/** Who answers: certificates, redirects, cluster-infos, tokens, and what the signer has signed. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { expect } from 'vitest';
import type { CsrObject } from '../../engine/node/index.ts';
import { generateKeyPem, issueCertificate, publicKeyDer, readCsr, signDetached } from '../../engine/pki/index.ts';
import type { KeyPair } from '../../plugins/sandbox/index.ts';
import { EVER, type Fault, LIMIT_MS, REQUESTS, type RequestName } from './fault.ts';
import { hinder } from './network.ts';
import type { Scene } from './scene.ts';

const DAY_MS = 86_400_000;
type Ends = Fault['ends'];
const UNTRUSTED: Ends = ['E_API_CERTIFICATE_UNTRUSTED', 'trust'];
const TIME: Ends = ['E_API_CERTIFICATE_TIME', 'trust'];
const NAME: Ends = ['E_API_CERTIFICATE_NAME', 'trust'];
const ANSWER: Ends = ['E_API_ANSWER', 'cluster'];

interface Serving {
  issuer?: string;
  altNames?: string[];
  fromDays?: number;
  toDays?: number;
  use?: 'server' | 'client';
}

/** A certificate for the API server; by an unknown CA where no issuer's key is given. */
export function serving({
  issuer = generateKeyPem(),
  altNames = ['127.0.0.1'],
  fromDays = -1,
  toDays = 1,
  use = 'server',
}: Serving): KeyPair {
  const key = generateKeyPem();
  const cert = issueCertificate({
    subject: { commonName: 'kube-apiserver', organizations: [] },
    publicKey: publicKeyDer(key),
    issuer: { commonName: 'kubernetes', organizations: [] },
    signingKey: issuer,
    use,
    altNames,
    notBefore: new Date(Date.now() + fromDays * DAY_MS),
    notAfter: new Date(Date.now() + toDays * DAY_MS),
  });
  return { cert, key };
}

const wrong: { name: string; made: (scene: Scene) => KeyPair; ends: Ends }[] = [
  { name: 'of an unknown CA', made: () => serving({}), ends: UNTRUSTED },
  {
    name: 'that has expired',
    made: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, fromDays: -3, toDays: -1 }),
    ends: TIME,
  },
  {
    name: 'that is not yet valid',
    made: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, fromDays: 1, toDays: 2 }),
    ends: TIME,
  },
  {
    name: 'for another name',
    made: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: ['other.example'] }),
    ends: NAME,
  },
  { name: 'for no name', made: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: [] }), ends: NAME },
  {
    name: 'for a name of control characters',
    made: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: ['\u001b[31m\u007f.example'] }),
    ends: NAME,
  },
  {
    name: 'for a name that is not ASCII, which Go does not parse',
    made: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: ['\u001b[31m\u202e.example'] }),
    ends: UNTRUSTED,
  },
  { name: 'for clients', made: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, use: 'client' }), ends: UNTRUSTED },
];

const OF_THE_KUBELET = /^\/api\/v1\/nodes($|\/w1\/status)/;

/** Requests on connections with a wrong certificate were asked by nobody, or not at all. */
const nothingGivenSince = ({ sandbox }: Scene, from: number): void => {
  const ours = sandbox.store.requests.slice(from).filter(({ path }) => !OF_THE_KUBELET.test(path));
  expect(ours.filter(({ user }) => user !== 'system:anonymous')).toEqual([]);
};

const certificates: Fault[] = wrong.flatMap(({ name, made, ends }, index): Fault[] => [
  {
    name: `a certificate ${name}`,
    where: 'cluster-info, verified',
    inject: (scene) => scene.sandbox.serveWith(made(scene)),
    ends,
    lasting: true,
    also: (scene) => nothingGivenSince(scene, 0),
  },
  ...(index > 2 ? [] : (['node get', 'CSR watch', 'kubelet-config get', 'node patch'] as const)).map((where): Fault => {
    let from = 0;
    return {
      name: `another certificate, ${name},`,
      where,
      inject(scene) {
        const onTriggered = () => {
          scene.sandbox.serveWith(made(scene));
          from = scene.sandbox.store.requests.length + 1; // this one is still to be noted
        };
        hinder(scene, where, { effect: 'reset', onTriggered });
      },
      ends,
      lasting: true,
      also: (scene) => nothingGivenSince(scene, from),
    };
  }),
]);

/** A server that is none of the cluster's, and notes who asks it for what. */
class Elsewhere {
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(pair: KeyPair): Promise<Elsewhere> {
    const server = createServer(pair).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const elsewhere = new Elsewhere(server);
    server.on('request', ({ url, headers: { authorization } }, response) => {
      elsewhere.asked.push(`${url} ${authorization ?? 'nobody'}`);
      response.end('{}');
    });
    return elsewhere;
  }

  expectNothing(): void {
    this.#server.close();
    expect(this.asked).toEqual([]);
  }
}

function redirected(code: number, where: RequestName, ends: Ends = ANSWER): Fault {
  let elsewhere: Elsewhere;
  return {
    name: `${code} to another host`,
    where,
    async inject(scene) {
      elsewhere = await Elsewhere.open(serving({ issuer: scene.sandbox.caKeyPem })); // one that we would trust
      const headers = { Location: `${elsewhere.url}/stolen` };
      hinder(scene, where, { effect: 'instead', code, text: '{}', headers, times: EVER });
    },
    ends,
    ...(ends === ANSWER || ends === 'survives' ? {} : { limitsMs: { [REQUESTS[where].step]: LIMIT_MS } }),
    also: () => elsewhere.expectNothing(),
  };
}

const redirects: Fault[] = [
  ...[301, 302, 303, 307, 308].map((code) => redirected(code, 'node get')),
  ...(['cluster-info, unverified', 'cluster-info, verified', 'CSR create', 'kubelet-config get'] as const).map(
    (where) => redirected(307, where),
  ),
  redirected(307, 'node patch', 'survives'), // it is patched, and found patched by the next try
  ...(['CSR watch', 'node list'] as const).map((where) => redirected(307, where, ['E_STEP_TIME_LIMIT', 'timeLimit'])),
];

/** Anonymous readers of cluster-info get this kubeconfig, signed by the token. */
export function clusterInfo(
  scene: Scene,
  kubeconfig: string,
  { secret, times = EVER }: { secret?: string; times?: number } = {},
): void {
  const [id = '', own = ''] = scene.sandbox.token.split('.');
  const data = { kubeconfig, [`jws-kubeconfig-${id}`]: signDetached(kubeconfig, id, secret ?? own) };
  scene.at('cluster-info, unverified', { effect: 'forged', times, body: { metadata: {}, data } });
}

const kubeconfig = (server: string, ca: string): string =>
  `clusters: [{ cluster: { server: ${JSON.stringify(server)}, certificate-authority-data: ${Buffer.from(ca).toString('base64')} } }]\n`;
const INVALID: Ends = ['E_CLUSTER_INFO_INVALID', 'cluster'];
const told = (
  name: string,
  text: (scene: Scene) => string,
  ends: Ends,
  more: Partial<Fault> & { secret?: string; times?: number } = {},
): Fault => ({
  name: `a cluster-info ${name}`,
  where: 'cluster-info, unverified',
  inject: (scene) => clusterInfo(scene, text(scene), more),
  ends,
});
const at = (name: string, server: (endpoint: string) => string): Fault =>
  told(`whose server ${name}`, ({ sandbox }) => kubeconfig(server(sandbox.endpoint), sandbox.caPem), INVALID);

function otherServer(): Fault {
  let elsewhere: Elsewhere;
  return {
    name: 'a cluster-info that leads to another server',
    where: 'node get',
    async inject(scene) {
      elsewhere = await Elsewhere.open(serving({}));
      clusterInfo(scene, kubeconfig(elsewhere.url, scene.sandbox.caPem));
    },
    ends: UNTRUSTED,
    also: () => elsewhere.expectNothing(),
  };
}

const clusterInfos: Fault[] = [
  told(
    'that differs the second time',
    ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, sandbox.caPem),
    ['E_CLUSTER_INFO_CHANGED', 'trust'],
    { times: 1 },
  ),
  told(
    'that is signed by another token',
    ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, sandbox.caPem),
    ['E_CLUSTER_INFO_SIGNATURE', 'trust'],
    { secret: 'f'.repeat(16) },
  ),
  told('with another CA', ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, serving({}).cert), [
    'E_CA_PIN_MISMATCH',
    'trust',
  ]),
  told('without a CA', ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, ''), INVALID),
  told(
    'with a CA that is none',
    ({ sandbox }) =>
      kubeconfig(`https://${sandbox.endpoint}`, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    INVALID,
  ),
  told(
    'of two clusters',
    () => 'clusters: [{ cluster: { server: "https://a:1" } }, { cluster: { server: "https://b:1" } }]',
    INVALID,
  ),
  told('of no cluster', () => 'clusters: null\n', INVALID),
  at('speaks HTTP', (endpoint) => `http://${endpoint}`),
  at('has a path', (endpoint) => `https://${endpoint}/proxy`),
  at('has a fragment', (endpoint) => `https://${endpoint}/#x`),
  at('has a user', (endpoint) => `https://root:x@${endpoint}`),
  at('brings lines of its own', (endpoint) => `https://${endpoint}/#\nusers: []`),
  at('has control characters', (endpoint) => `https://${endpoint}/#\u001b[2J\u202e`),
  otherServer(),
];

/** Endpoints that are no API server. */
function spoken(name: string, speak: (socket: Socket) => void, ends: Ends, limitsMs?: Record<string, number>): Fault {
  return {
    name,
    where: 'the endpoint',
    async inject(scene) {
      const server = createTcpServer((socket) => speak(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
      server.unref();
      await once(server, 'listening');
      scene.given.endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    ends,
    lasting: true,
    ...(limitsMs === undefined ? {} : { limitsMs }),
  };
}
const endpoints: Fault[] = [
  spoken('HTTP instead of HTTPS', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), ANSWER),
  spoken('SSH', (socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'), ANSWER),
  spoken('an end before the handshake', (socket) => socket.end(), ['E_API_UNREACHABLE', 'cluster']),
  spoken('a reset before the handshake', (socket) => socket.resetAndDestroy(), ['E_API_UNREACHABLE', 'cluster']),
  spoken('no word', () => undefined, ['E_STEP_TIME_LIMIT', 'timeLimit'], { discovery: 500 }),
  {
    name: 'nobody',
    where: 'the endpoint',
    inject(scene) {
      scene.given.endpoint = '127.0.0.1:1';
    },
    ends: ['E_API_UNREACHABLE', 'cluster'],
    lasting: true,
  },
];

/** The token, and the identity that the machine holds. */
export const forget = ({ sandbox }: Scene): void =>
  sandbox.store.delete('secrets', `bootstrap-token-${sandbox.token.slice(0, 6)}`, 'kube-system');
const tokens: Fault[] = [
  {
    name: 'a token that is gone',
    where: 'cluster-info, unverified',
    inject: forget,
    ends: ['E_TOKEN_UNKNOWN', 'trust'],
    lasting: true,
  },
  ...(['node get', 'CSR create', 'CSR watch', 'kubelet-config get'] as const).map(
    (where): Fault => ({
      name: 'a token that expires now',
      where,
      inject: (scene) => hinder(scene, where, { effect: 'reset', onTriggered: () => forget(scene) }),
      ends: ['E_API_UNAUTHORIZED', 'cluster'],
      lasting: true,
    }),
  ),
  {
    name: 'a pin of another CA',
    where: 'cluster-info, unverified',
    inject(scene) {
      scene.given.discoveryTokenCaCertHash = [`sha256:${'0'.repeat(64)}`];
    },
    ends: ['E_CA_PIN_MISMATCH', 'trust'],
    lasting: true,
  },
  ...(['reset', 'internalError', 'notJson'] as const).map(
    (effect): Fault => ({
      name: `${effect}, once, for the identity it holds`,
      where: 'node get',
      joinedBefore: true,
      inject: (scene) => scene.at('node get', { effect, after: 1 }),
      ends: 'survives',
    }),
  ),
  {
    name: 'an identity that is not accepted any more',
    where: 'node get',
    joinedBefore: true,
    inject: (scene) => scene.at('node get', { effect: 'unauthorized', after: 1 }), // the token asks first
    ends: ['E_NODE_EXISTS', 'cluster'], // its own, but that cannot be proven
  },
  {
    name: 'forbidden to the identity it holds',
    where: 'node get',
    joinedBefore: true,
    inject: (scene) => scene.at('node get', { effect: 'forbidden', after: 1 }),
    ends: ['E_API_FORBIDDEN', 'cluster'],
  },
];

/** What comes back instead of the certificate that was asked for. */
type Issued = Partial<{
  user: string;
  groups: string[];
  key: string;
  use: 'client' | 'server';
  fromDays: number;
  toDays: number;
}>;
const issued = (name: string, how: Issued): Fault =>
  signed(name, (scene, csr) => {
    const asked = readCsr(Buffer.from(csr.spec.request, 'base64').toString());
    return issueCertificate({
      subject: { commonName: how.user ?? asked.commonName, organizations: how.groups ?? asked.organizations },
      publicKey: how.key === undefined ? asked.publicKey : publicKeyDer(how.key),
      issuer: { commonName: 'kubernetes', organizations: [] },
      signingKey: scene.sandbox.caKeyPem,
      use: how.use ?? 'client',
      notBefore: new Date(Date.now() + (how.fromDays ?? -1) * DAY_MS),
      notAfter: new Date(Date.now() + (how.toDays ?? 1) * DAY_MS),
    });
  });
function signed(name: string, certificate: (scene: Scene, csr: CsrObject) => string): Fault {
  return {
    name: `a certificate ${name}, issued`,
    where: 'CSR watch',
    inject(scene) {
      const change = (csr: object) => {
        const made = Buffer.from(certificate(scene, csr as CsrObject)).toString('base64');
        return { ...csr, status: { certificate: made } };
      };
      hinder(scene, 'CSR watch', { effect: 'changed', times: EVER, change });
    },
    ends: ['E_CERTIFICATE_WRONG', 'trust'],
  };
}
const issues: Fault[] = [
  issued('for another key', { key: generateKeyPem() }),
  issued('for another node', { user: 'system:node:w2' }),
  issued('for a node of control characters', { user: 'system:node:\u001b[31m\u202ew1' }),
  issued('of other groups', { groups: ['system:masters'] }),
  issued('for servers', { use: 'server' }),
  issued('that has expired', { fromDays: -3, toDays: -1 }),
  issued('that is not yet valid', { fromDays: 1, toDays: 2 }),
  signed('that is none', () => 'nonsense'),
  signed('that is damaged', () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
];

export const trust: Fault[] = [...certificates, ...redirects, ...clusterInfos, ...endpoints, ...tokens, ...issues];
