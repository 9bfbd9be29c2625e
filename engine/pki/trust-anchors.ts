/**
 * Trust anchors: certificates that are trusted without an issuer. As in Go, a root, an intermediate or a leaf can be
 * one.
 */
import { pemBlocks } from './pem.ts';
import { readX509, type X509 } from './x509.ts';

export class TrustAnchors {
  readonly #ders: Buffer[];
  readonly #read = new Map<Buffer, X509 | undefined>();

  /** PEM texts. Other blocks are skipped. Certificates that Go cannot parse are never trusted. */
  constructor(texts: readonly string[]) {
    this.#ders = texts.flatMap(pemBlocks).flatMap(({ label, der }) => (label === 'CERTIFICATE' ? [der] : []));
  }

  has(der: Buffer): boolean {
    return this.#ders.some((anchor) => anchor.equals(der));
  }

  /** The anchors with this subject, a DER name. Only they are parsed, because a system trusts hundreds. */
  withSubject(subject: Buffer): X509[] {
    return this.#ders
      .filter((der) => der.includes(subject))
      .flatMap((der) => this.#certificate(der) ?? [])
      .filter((anchor) => anchor.subject.equals(subject));
  }

  #certificate(der: Buffer): X509 | undefined {
    if (!this.#read.has(der)) this.#read.set(der, readable(der));
    return this.#read.get(der);
  }
}

/** The certificates of a PEM text that Go can parse. */
export const readableIn = (text: string): X509[] =>
  pemBlocks(text).flatMap(({ label, der }) => (label === 'CERTIFICATE' ? (readable(der) ?? []) : []));

function readable(der: Buffer): X509 | undefined {
  try {
    return readX509(der);
  } catch {
    return undefined;
  }
}
