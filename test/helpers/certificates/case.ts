/** One row of the table of certificates: what a server presents, whom the client trusts, and the verdict. */
import type { ChainFault } from '../../../engine/pki/chain.ts';
import { altNames, ca, keyUsage } from './extensions.ts';
import { type Certificate, type Details, issue, type Party, party } from './issue.ts';

export interface CertificateCase {
  title: string;
  /** Leaf first. */
  chain: Certificate[];
  leaf: Party;
  roots: Certificate[];
  host: string;
  verdict: 'verified' | ChainFault;
  /** What a Go client says, where it is less strict: why we are stricter. */
  stricter?: string;
  /** Why no server can be run with it. */
  unservable?: string;
}

export const ROOT = party('root');
export const LEAF = party('leaf');
export const HOST = '127.0.0.1';

export const root = (details: Partial<Details> = {}): Certificate =>
  issue({ subject: ROOT, extensions: [ca(), keyUsage('keyCertSign')], ...details });

export const leaf = (details: Partial<Details> = {}): Certificate =>
  issue({ subject: LEAF, issuer: ROOT, extensions: [altNames(`IP:${HOST}`)], ...details });

/** By default a leaf directly below a root. */
export function row(
  title: string,
  verdict: CertificateCase['verdict'],
  rest: Partial<Omit<CertificateCase, 'title' | 'verdict'>> = {},
): CertificateCase {
  return { title, verdict, chain: [leaf()], leaf: LEAF, roots: [root()], host: HOST, ...rest };
}

/** A CA between root and leaf. */
export const MIDDLE = party('middle');
export const middle = (details: Partial<Details> = {}): Certificate =>
  issue({ subject: MIDDLE, issuer: ROOT, extensions: [ca(), keyUsage('keyCertSign')], ...details });
export const below = (issuer: Party, details: Partial<Details> = {}): Certificate => leaf({ issuer, ...details });
