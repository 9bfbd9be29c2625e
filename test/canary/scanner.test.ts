import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../engine/pki/index.ts';
import { keyCanary, leaks, plainCanary, tokenCanary } from './scanner.ts';

const TOKEN = 'abcdef.0123456789canary';
const key = generateKeyPem();
const canaries = [tokenCanary(TOKEN), keyCanary(key), plainCanary('certificate key', 'a+b/c=~canary?&')];
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const der = createPrivateKey(key).export({ type: 'sec1', format: 'der' });

describe('the scanner', () => {
  test.each<[string, string, string]>([
    ['a token', 'token', `--token ${TOKEN}`],
    ['its secret half', 'token', '0123456789canary'],
    ['it in base64, behind something', 'token', base64(`token:${TOKEN}, `)],
    ['its half in base64, behind something else', 'token', base64('xy0123456789canary')],
    ['it in hexadecimal digits', 'token', Buffer.from(TOKEN).toString('hex')],
    ['a key', 'key', `x\n${key}`],
    ['a key in JSON', 'key', JSON.stringify({ key })],
    ['a key in JSON in JSON', 'key', JSON.stringify(JSON.stringify({ key }))],
    ['a key in base64', 'key', base64(`${key}certificate`)],
    ['a key in a URL', 'key', encodeURIComponent(key)],
    ['half a line of a key', 'key', `- ${key.split('\n')[1]?.slice(32)}`],
    ['the bytes of a key in base64', 'key', base64(der)],
    ['the bytes of a key in hexadecimal digits', 'key', der.toString('hex').toUpperCase()],
    ['the number that a key is', 'key', String(createPrivateKey(key).export({ format: 'jwk' }).d)],
    ['something else in a URL', 'certificate key', encodeURIComponent('a+b/c=~canary?&')],
    ['something else in base64 for URLs', 'certificate key', Buffer.from('1a+b/c=~canary?&').toString('base64url')],
  ])('the scanner finds %s', (_, name, text) => {
    expect(leaks(`before ${text} behind`, canaries)).toEqual([expect.stringMatching(`^${name}, behind`)]);
  });

  test('the scanner finds nothing in public data and in other secrets', () => {
    const certificate = issueCertificate({
      subject: { commonName: 'system:node:w1', organizations: ['system:nodes'] },
      publicKey: publicKeyDer(key),
      signingKey: generateKeyPem(),
      use: 'client',
      notBefore: new Date(0),
      notAfter: new Date(1),
    });
    const open = createPublicKey(key).export({ type: 'spki', format: 'der' });
    const text = ['abcdef', certificate, base64(certificate), base64(open), open.toString('hex'), generateKeyPem()];
    expect(leaks(text.join('\n') + randomBytes(1 << 16).toString('base64'), canaries)).toEqual([]);
  });

  test('the scanner does not show the secrets that it finds', () => {
    expect(leaks(`${TOKEN} and ${TOKEN}`, canaries).join('')).not.toContain('canary');
  });
});
