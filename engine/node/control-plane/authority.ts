/** The cluster's CAs on a control plane, and certificates that they issue. Source: kubeadm, util/pkiutil. */
import {
  type Certificate,
  fitsKey,
  generateKeyPemInBackground,
  type IssueRequest,
  issueCertificate,
  type KeyAlgorithm,
  privateKeyPem,
  publicKeyDer,
  readCertificates,
} from '../../pki/index.ts';
import type { Clock, Files, Random } from '../../sdk/ports.ts';
import { Secret } from '../../sdk/secret.ts';

/** A CA below the directory of the certificates: `ca`, `front-proxy-ca` or `etcd/ca`. */
export interface Authority {
  name: string;
  certificate: Certificate;
  /** Undefined if the CA is external: then its certificates have to be brought along. */
  key: Secret | undefined;
}

export interface Pair {
  certificate: string;
  key: Secret;
}

export type LeafRequest = Pick<IssueRequest, 'subject' | 'use' | 'altNames' | 'notBefore'> & {
  algorithm: KeyAlgorithm;
  validityMs: number;
};

/** Throws an Error of one line that names the file and what is wrong with it. */
export async function readAuthority(files: Files, directory: string, name: string): Promise<Authority> {
  const path = `${directory}/${name}`;
  const text = (await files.read(`${path}.crt`))?.toString('utf8');
  if (text === undefined) throw new Error(`${path}.crt does not exist`);
  // Like kubeadm, only the first certificate counts.
  const [certificate] = parsed(`${path}.crt`, () => readCertificates(text));
  if (certificate === undefined) throw new Error(`${path}.crt has no certificate`);
  if (!certificate.x509.ca) throw new Error(`${path}.crt is not the certificate of a CA`);
  const keyText = (await files.read(`${path}.key`))?.toString('utf8');
  if (keyText === undefined) return { name, certificate, key: undefined };
  const key = parsed(`${path}.key`, () => privateKeyPem(keyText));
  if (!fitsKey(certificate, key)) throw new Error(`${path}.key is not the key of ${path}.crt`);
  return { name, certificate, key: new Secret(key) };
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** A key and its certificate. They stay the same until the run has ended, so a resumed run writes the same files. */
export async function issuedPair(
  { random, clock }: { random: Random; clock: Clock },
  { certificate: issuer, key: signingKey }: { certificate: Certificate; key: Secret },
  name: string,
  { algorithm, validityMs, ...request }: LeafRequest,
): Promise<Pair> {
  const both = await random.once(name, async () => {
    const key = await generateKeyPemInBackground(algorithm);
    const certificate = issueCertificate({
      ...request,
      publicKey: publicKeyDer(key),
      issuer,
      signingKey: signingKey.reveal(),
      notAfter: new Date(clock.now().getTime() + validityMs),
    });
    return `${certificate}${key}`;
  });
  return pairOf(both);
}

/** Both parts of a text that has a certificate and its key. */
function pairOf(both: Secret): Pair {
  const [certificate] = readCertificates(both.reveal());
  if (certificate === undefined) throw new TypeError('a pair without a certificate');
  return { certificate: certificate.pem, key: new Secret(privateKeyPem(both.reveal())) };
}
