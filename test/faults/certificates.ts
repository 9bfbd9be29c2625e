/** Faults of the API server's certificate, and certificates for servers. */
import { expect } from 'vitest';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../engine/pki/index.ts';
import type { KeyPair } from '../../plugins/sandbox/index.ts';
import type { Fault } from './fault.ts';
import { hinder } from './network.ts';
import type { Ends } from './row.ts';
import type { Scene } from './scene.ts';

const DAY_MS = 86_400_000;
export const UNTRUSTED: Ends = ['E_API_CERTIFICATE_UNTRUSTED', 'trust'];
const TIME: Ends = ['E_API_CERTIFICATE_TIME', 'trust'];
const NAME: Ends = ['E_API_CERTIFICATE_NAME', 'trust'];

interface Serving {
  issuer?: string;
  altNames?: string[];
  fromDays?: number;
  toDays?: number;
  use?: 'server' | 'client';
}

/** A certificate for the API server. Default issuer: an unknown CA. */
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

const wrong: { name: string; pairFor: (scene: Scene) => KeyPair; ends: Ends }[] = [
  { name: 'of an unknown CA', pairFor: () => serving({}), ends: UNTRUSTED },
  {
    name: 'that has expired',
    pairFor: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, fromDays: -3, toDays: -1 }),
    ends: TIME,
  },
  {
    name: 'that is not yet valid',
    pairFor: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, fromDays: 1, toDays: 2 }),
    ends: TIME,
  },
  {
    name: 'for another name',
    pairFor: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: ['other.example'] }),
    ends: NAME,
  },
  { name: 'for no name', pairFor: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: [] }), ends: NAME },
  {
    name: 'for a name of control characters',
    pairFor: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: ['\u001b[31m\u007f.example'] }),
    ends: NAME,
  },
  {
    name: 'for a name that is not ASCII, which Go cannot parse',
    pairFor: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, altNames: ['\u001b[31m\u202e.example'] }),
    ends: UNTRUSTED,
  },
  {
    name: 'for clients',
    pairFor: ({ sandbox }) => serving({ issuer: sandbox.caKeyPem, use: 'client' }),
    ends: UNTRUSTED,
  },
];

const OF_THE_KUBELET = /^\/api\/v1\/nodes($|\/w1\/status)/;

/** No request on a connection with a wrong certificate had credentials. */
const expectNoCredentialSince = ({ sandbox }: Scene, from: number): void => {
  const ours = sandbox.store.requests.slice(from).filter(({ path }) => !OF_THE_KUBELET.test(path));
  expect(ours.filter(({ user }) => user !== 'system:anonymous')).toEqual([]);
};

export const certificates: Fault[] = wrong.flatMap(({ name, pairFor, ends }, index): Fault[] => [
  {
    name: `a certificate ${name}`,
    where: 'cluster-info, verified',
    inject: (scene) => scene.sandbox.serveWith(pairFor(scene)),
    ends,
    lasting: true,
    also: (scene) => expectNoCredentialSince(scene, 0),
  },
  ...(index > 2 ? [] : (['node get', 'CSR watch', 'kubelet-config get', 'node patch'] as const)).map((where): Fault => {
    let from = 0;
    return {
      name: `another certificate, ${name},`,
      where,
      inject(scene) {
        const onTriggered = () => {
          scene.sandbox.serveWith(pairFor(scene));
          from = scene.sandbox.store.requests.length + 1; // this one is still to be noted
        };
        hinder(scene, where, { effect: 'reset', onTriggered });
      },
      ends,
      lasting: true,
      also: (scene) => expectNoCredentialSince(scene, from),
    };
  }),
]);
