/** Documents of cluster-info that lead to a wrong cluster, or to none. */
import { signDetached } from '../../engine/pki/index.ts';
import { serving, UNTRUSTED } from './certificates.ts';
import { EVER, type Fault } from './fault.ts';
import { OtherServer } from './redirects.ts';
import { type Ends, INVALID } from './row.ts';
import type { Scene } from './scene.ts';

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
const invalidInfo = (
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
  invalidInfo(`whose server ${name}`, ({ sandbox }) => kubeconfig(server(sandbox.endpoint), sandbox.caPem), INVALID);

function otherServer(): Fault {
  let other: OtherServer;
  return {
    name: 'a cluster-info that leads to another server',
    where: 'node get',
    async inject(scene) {
      other = await OtherServer.open(serving({}));
      clusterInfo(scene, kubeconfig(other.url, scene.sandbox.caPem));
    },
    ends: UNTRUSTED,
    also: () => other.expectNothing(),
  };
}

export const clusterInfos: Fault[] = [
  invalidInfo(
    'that differs the second time',
    ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, sandbox.caPem),
    ['E_CLUSTER_INFO_CHANGED', 'trust'],
    { times: 1 },
  ),
  invalidInfo(
    'that is signed by another token',
    ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, sandbox.caPem),
    ['E_CLUSTER_INFO_SIGNATURE', 'trust'],
    { secret: 'f'.repeat(16) },
  ),
  invalidInfo('with another CA', ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, serving({}).cert), [
    'E_CA_PIN_MISMATCH',
    'trust',
  ]),
  invalidInfo('without a CA', ({ sandbox }) => kubeconfig(`https://${sandbox.endpoint}`, ''), INVALID),
  invalidInfo(
    'with a CA that is none',
    ({ sandbox }) =>
      kubeconfig(`https://${sandbox.endpoint}`, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    INVALID,
  ),
  invalidInfo(
    'of two clusters',
    () => 'clusters: [{ cluster: { server: "https://a:1" } }, { cluster: { server: "https://b:1" } }]',
    INVALID,
  ),
  invalidInfo('of no cluster', () => 'clusters: null\n', INVALID),
  at('speaks HTTP', (endpoint) => `http://${endpoint}`),
  at('has a path', (endpoint) => `https://${endpoint}/proxy`),
  at('has a fragment', (endpoint) => `https://${endpoint}/#x`),
  at('has a user', (endpoint) => `https://root:x@${endpoint}`),
  at('brings lines of its own', (endpoint) => `https://${endpoint}/#\nusers: []`),
  at('has control characters', (endpoint) => `https://${endpoint}/#\u001b[2J\u202e`),
  otherServer(),
];
