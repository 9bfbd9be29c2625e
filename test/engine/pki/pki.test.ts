import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  createCsr,
  csrName,
  fitsKey,
  generateKeyPem,
  generateKeyPemInBackground,
  isIssuedBy,
  isSignedBy,
  issueCertificate,
  KEY_ALGORITHMS,
  publicKeyDer,
  readCertificates,
  readCsr,
  signDetached,
  toPem,
} from '../../../engine/pki/index.ts';
import { thrownBy } from '../../helpers/errors.ts';

const vector = (name: string): string => readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8');
const json = (name: string) => JSON.parse(vector(name));
const DAY_MS = 86_400_000;

describe('pins', () => {
  test('pins are the SHA-256 of the SubjectPublicKeyInfo, for RSA and EC keys, in the order of the bundle', () => {
    expect(readCertificates(vector('ca-bundle.crt')).map((certificate) => certificate.pin)).toEqual(
      json('pins.json').bundle.pinsInOrder,
    );
  });
  test('pins skip PEM blocks that are not certificates', () => {
    expect(readCertificates(vector('node.key') + vector('ca.crt'))).toHaveLength(1);
  });
});

describe('an invalid certificate', () => {
  const der = Buffer.from(vector('ca2.crt').split('-----')[2] ?? '', 'base64');
  const noDate = Buffer.from(der);
  noDate.write('269999', der.indexOf(Buffer.of(0x17, 0x0d)) + 2); // the 99th day of the 99th month of 2026
  test.each<[string, string, string]>([
    ['of no content', toPem('CERTIFICATE', Buffer.alloc(0)), ''],
    ['of a day that does not exist', toPem('CERTIFICATE', noDate), 'a certificate without dates'],
    ['that never ends', '-----BEGIN CERTIFICATE-----\nMIIB\n', ''],
    ['in a bundle of thousands', vector('ca2.crt').repeat(501), 'more than 500 certificates'],
  ])('an invalid certificate is refused: %s', async (_, pem, message) => {
    const error = await thrownBy(() => readCertificates(pem));
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect((error as Error).message).toMatch(/^\P{Cc}+$/u);
    expect((error as Error).message).toContain(message);
  });
  test.each([
    ['a certificate', vector('ca2.crt')],
    ['an empty sequence', toPem('CERTIFICATE REQUEST', Buffer.of(0x30, 0))],
  ])('an invalid CSR is refused: %s', async (_, pem) => {
    expect(Object.getPrototypeOf(await thrownBy(() => readCsr(pem)))).toBe(Error.prototype);
  });
});

describe('the detached JWS of cluster-info', () => {
  const { valid, invalid } = json('jws.json');
  test.each<{ token: string; payloadFile: string; detachedJws: string; configMapKey: string }>(valid)(
    '$configMapKey over $payloadFile is signed as the bootstrap signer signs it',
    (entry) => {
      const [id = '', secret = ''] = entry.token.split('.');
      expect(signDetached(vector(entry.payloadFile), id, secret)).toBe(entry.detachedJws);
      expect(isSignedBy(entry.detachedJws, vector(entry.payloadFile), id, secret)).toBe(true);
    },
  );
  test.each<{ why: string; token: string; payloadFile: string; appendHex?: string; detachedJws: string }>(invalid)(
    'a detached JWS is refused: $why',
    (entry) => {
      const [id = '', secret = ''] = entry.token.split('.');
      const payload = vector(entry.payloadFile) + Buffer.from(entry.appendHex ?? '', 'hex').toString();
      expect(isSignedBy(entry.detachedJws, payload, id, secret)).toBe(false);
    },
  );
});

describe('a kubelet CSR', () => {
  const names = json('csr-name.json');
  test('a kubelet CSR has the name that the kubelet would give it', () => {
    const subject = { commonName: names.commonName, organizations: names.organizations };
    expect(csrName(publicKeyDer(vector('node.key')), subject, names.usages)).toBe(names.nameFromPublicKey_current);
  });
  test('a CSR created by OpenSSL is readable', () => {
    const csr = readCsr(vector('node.csr'));
    expect(csr).toMatchObject({
      commonName: 'system:node:worker-1',
      organizations: ['system:nodes'],
      signatureValid: true,
      asksExtensions: false,
    });
    expect(csr.publicKey.toString('hex')).toBe(names.spkiDerHex);
  });
  test('a CSR created by Joinery is readable, and its signature is valid', () => {
    const key = generateKeyPem();
    const csr = readCsr(createCsr(key, { commonName: 'system:node:ü', organizations: ['system:nodes'] }));
    expect(csr).toMatchObject({ commonName: 'system:node:ü', signatureValid: true, asksExtensions: false });
    expect(csr.publicKey).toEqual(publicKeyDer(key));
  });
});

describe('an issued certificate', () => {
  const key = generateKeyPem();
  const issue = (overrides = {}) =>
    issueCertificate({
      subject: { commonName: 'system:node:w1', organizations: ['system:nodes'] },
      publicKey: publicKeyDer(key),
      issuer: { commonName: 'kubernetes', organizations: [] },
      signingKey: vector('ca.key'),
      use: 'client',
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      ...overrides,
    });
  test('an issued certificate chains to its CA, fits its key, and has its extended key usage', () => {
    const [certificate] = readCertificates(issue());
    expect(certificate).toMatchObject({
      commonName: 'system:node:w1',
      organizations: ['system:nodes'],
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'],
    });
    if (certificate === undefined) throw new Error('no certificate');
    expect(isIssuedBy(certificate, vector('ca-bundle.crt'))).toBe(true);
    expect(isIssuedBy(certificate, vector('ca2.crt'))).toBe(false);
    expect(fitsKey(certificate, key)).toBe(true);
    expect(fitsKey(certificate, generateKeyPem())).toBe(false);
  });
  test('a server certificate is valid for its names and addresses only', () => {
    const x509 = new X509Certificate(issue({ use: 'server', altNames: ['127.0.0.1', 'api.example'] }));
    expect(x509.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(x509.checkIP('127.0.0.2')).toBeUndefined();
    expect(x509.checkHost('api.example')).toBe('api.example');
  });
  test('a certificate of a self-signed EC CA verifies with its own key', () => {
    const x509 = new X509Certificate(
      issue({
        use: 'ca',
        issuer: undefined,
        subject: { commonName: 'kubernetes', organizations: [] },
        signingKey: key,
      }),
    );
    expect(x509.ca).toBe(true);
    expect(x509.verify(createPublicKey(key))).toBe(true);
  });
});

describe('damaged PEM is refused in our own words', () => {
  const block = (base64: string) => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  test.each([
    ['no END line', '-----BEGIN CERTIFICATE-----\nAAAA\n', 'a PEM block has no END line, or text that is not base64'],
    ['text that is not base64', block('!!!'), 'a PEM block has no END line, or text that is not base64'],
    ['bytes that are something else', block('AAAA'), 'its bytes are not an X.509 certificate'],
  ])('a certificate with %s', async (_, pem, message) => {
    expect(((await thrownBy(() => readCertificates(pem))) as Error).message).toBe(message);
  });
  test('a CSR whose bytes are cut short', async () => {
    const csr = createCsr(generateKeyPem(), { commonName: 'x', organizations: [] });
    const der = Buffer.from(csr.replace(/-----.*-----|\n/g, ''), 'base64').subarray(0, 40);
    const error = await thrownBy(() => readCsr(toPem('CERTIFICATE REQUEST', der)));
    expect((error as Error).message).toBe('its bytes are cut short, or are not DER');
  });
});

test.each(KEY_ALGORITHMS)('a key made in the background has the form of one that is made at once: %s', async (name) => {
  const shape = (pem: string) => {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
    return [pem.split('\n')[0], asymmetricKeyType, modulusLength, namedCurve];
  };
  expect(shape(await generateKeyPemInBackground(name))).toEqual(shape(generateKeyPem(name)));
});
