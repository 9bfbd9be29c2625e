/** Faults of the token, of the existing identity, and of the certificate that the cluster issues. */
import type { CsrObject } from '../../engine/node/index.ts';
import { generateKeyPem, issueCertificate, publicKeyDer, readCsr } from '../../engine/pki/index.ts';
import { EVER, type Fault } from './fault.ts';
import { hinder } from './network.ts';
import type { Scene } from './scene.ts';

const DAY_MS = 86_400_000;

/** The token, and the identity that the machine holds. */
export const deleteToken = ({ sandbox }: Scene): void =>
  sandbox.store.delete('secrets', `bootstrap-token-${sandbox.token.slice(0, 6)}`, 'kube-system');
export const tokens: Fault[] = [
  {
    name: 'a token that is gone',
    where: 'cluster-info, unverified',
    inject: deleteToken,
    ends: ['E_TOKEN_UNKNOWN', 'trust'],
    lasting: true,
  },
  ...(['node get', 'CSR create', 'CSR watch', 'kubelet-config get'] as const).map(
    (where): Fault => ({
      name: 'a token that expires now',
      where,
      inject: (scene) => hinder(scene, where, { effect: 'reset', onTriggered: () => deleteToken(scene) }),
      ends: ['E_API_UNAUTHORIZED', 'cluster'],
      lasting: true,
    }),
  ),
  {
    name: 'a pin of another CA',
    where: 'cluster-info, unverified',
    inject(scene) {
      scene.values.discoveryTokenCaCertHash = [`sha256:${'0'.repeat(64)}`];
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
    name: 'an identity that is no longer accepted',
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
        const signed = Buffer.from(certificate(scene, csr as CsrObject)).toString('base64');
        return { ...csr, status: { certificate: signed } };
      };
      hinder(scene, 'CSR watch', { effect: 'changed', times: EVER, change });
    },
    ends: ['E_CERTIFICATE_WRONG', 'trust'],
  };
}
export const issues: Fault[] = [
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
