import { describe, expect, test } from 'vitest';
import { chainRefusal } from '../../../engine/pki/chain.ts';
import { TrustAnchors } from '../../../engine/pki/trust-anchors.ts';
import { type CertificateCase, HOST, leaf, root } from '../../helpers/certificates/case.ts';
import { certificateTable } from '../../helpers/certificates/table.ts';

const verdictOf = ({ chain, roots, host }: CertificateCase) =>
  chainRefusal({
    presented: chain.map(({ der }) => der),
    anchors: new TrustAnchors(roots.map(({ pem }) => pem)),
    host,
    now: new Date(),
  });

const table = certificateTable();

describe('a chain of certificates', () => {
  test.each(table)('a chain of certificates gets the verdict of Go: $title: $verdict', (entry) => {
    const refusal = verdictOf(entry);
    expect(refusal?.fault ?? 'verified', refusal?.what).toBe(entry.verdict);
  });
});

describe('a leaf of which one bit is another', () => {
  const [certificate, trusted] = [leaf(), root()];
  const anchors = new TrustAnchors([trusted.pem]);
  const verdict = (der: Uint8Array) => chainRefusal({ presented: [der], anchors, host: HOST, now: new Date() });
  test('a certificate with one wrong bit is never verified, and never ends the check in an exception', () => {
    expect(verdict(certificate.der)).toBeUndefined();
    for (let at = 0; at < certificate.der.length; at++) {
      const damaged = Buffer.from(certificate.der);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      expect(verdict(damaged)?.what, `byte ${at}`).toMatch(/^\P{Cc}+$/u);
    }
  });
  test('a certificate that is cut off anywhere is never verified', () => {
    for (let at = 0; at < certificate.der.length; at++)
      expect(verdict(certificate.der.subarray(0, at))?.fault).toBe('unreadable');
  });
});

describe('a refusal', () => {
  const what = (title: string) => {
    const entry = table.find((row) => row.title === title);
    return entry === undefined ? undefined : verdictOf(entry)?.what;
  };
  test.each([
    ['a leaf of the root', undefined],
    [
      'a common name and no alternative names',
      'it has no subject alternative names, and its common name localhost does not count',
    ],
    ['another address', 'it is for IP Address:127.0.0.2, not for 127.0.0.1'],
    [
      'an intermediate that is not presented',
      '"leaf" was issued by "middle", and no path from there leads to a trusted CA',
    ],
    ['a root that is not a CA', '"root", which signed "leaf", is not a CA'],
    ['a path length of 0 above a CA', '"middle" allows 0 CAs below it, and there are 1'],
    ['RSA with SHA-1', '"leaf" is signed with SHA1-RSA, which is not accepted'],
    ['a server key of 768 bits', 'the RSA key of "leaf-rsa768" has 768 bits, fewer than 1024'],
    ['an address that is not permitted', '"root" restricts names: 127.0.0.1 is not among the permitted names'],
  ])('the refusal of a certificate says what is wrong: %s', (title, message) => {
    expect(what(title)).toBe(message);
  });
  test('the refusal of an expired certificate says when it is valid, and what time it is', () => {
    expect(what('a leaf that has expired')).toMatch(
      /^the certificate has expired: "leaf" ended at 20\S+Z, and now it is 20\S+Z$/,
    );
    expect(what('a leaf of tomorrow')).toMatch(
      /^the certificate is not yet valid: "leaf" starts at 20\S+Z, and now it is 20\S+Z$/,
    );
  });
});
