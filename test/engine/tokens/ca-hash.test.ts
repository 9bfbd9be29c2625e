/** The hashes against those of OpenSSL, which is really run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { caCertificates } from '../../../engine/tokens/ca-hash.ts';

const vectors = new URL('../../vectors/', import.meta.url);
const vector = (name: string): string => readFileSync(new URL(name, vectors), 'utf8');
const pins = JSON.parse(vector('pins.json'));
const hashes = (text: string): string[] => caCertificates(text).map(({ pin }) => pin);
const shell = (script: string, folder: string): string =>
  execFileSync('sh', ['-ec', script], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const found = hasOpenssl();

describe.skipIf(!found)(`the hash of a CA key${found ? '' : ' (skipped: openssl is not on PATH)'}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ca-hash-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const make = (newKey: string): string => {
    shell(`openssl req -x509 ${newKey} -nodes -subj /CN=kubernetes -days 9 -keyout ca.key -out ca.crt`, folder);
    return readFileSync(join(folder, 'ca.crt'), 'utf8');
  };
  const byHand = (key: string): string =>
    shell(
      `openssl x509 -pubkey -in ca.crt | openssl ${key} -pubin -outform der 2>/dev/null | openssl dgst -sha256 -hex | sed 's/^.* //'`,
      folder,
    );

  test("the hash of an RSA CA is what kubeadm's documentation computes", () => {
    expect(hashes(make('-newkey rsa:2048'))).toEqual([`sha256:${byHand('rsa')}`]);
  });

  test.each(['prime256v1', 'secp384r1', 'secp521r1'])(
    'the hash of an ECDSA CA (%s) is what OpenSSL computes',
    (curve) => {
      expect(hashes(make(`-newkey ec -pkeyopt ec_paramgen_curve:${curve}`))).toEqual([`sha256:${byHand('pkey')}`]);
    },
  );

  test('the hash of an Ed25519 CA is what OpenSSL computes', () => {
    expect(hashes(make('-newkey ed25519'))).toEqual([`sha256:${byHand('pkey')}`]);
  });
});

describe('the hashes of a file', () => {
  test('the hashes of a file are those of the reference, one for each certificate of a bundle, in its order', () => {
    for (const name of ['ca.crt', 'ca2.crt']) expect(hashes(vector(name))).toEqual([pins.spkiSha256[name]]);
    expect(hashes(vector('ca-bundle.crt'))).toEqual(pins.bundle.pinsInOrder);
  });

  test('the hashes of a file skip keys and text between the certificates', () => {
    const text = `# the old one\n${vector('ca.crt')}\n${vector('ca2.key')}\nthe new one\r\n${vector('ca2.crt')}`;
    expect(hashes(text)).toEqual(pins.bundle.pinsInOrder);
  });

  test('the hashes of a kubeconfig are those of its only cluster or its current context', () => {
    expect(hashes(vector('kubeconfig-two-ca.yaml'))).toEqual(pins.bundle.pinsInOrder);
    const encoded = (file: string) => Buffer.from(vector(file)).toString('base64');
    const cluster = (name: string, file: string) =>
      `- name: ${name}\n  cluster: {server: "https://a", certificate-authority-data: ${encoded(file)}}\n`;
    const contexts = 'contexts: [{name: x, context: {cluster: b}}]';
    const two = `clusters:\n${cluster('a', 'ca.crt')}${cluster('b', 'ca2.crt')}${contexts}\n`;
    expect(hashes(`${two}current-context: x\n`)).toEqual([pins.spkiSha256['ca2.crt']]);
    expect(() => hashes(two)).toThrow('it has no current-context (contexts: x)');
  });

  test.each([
    ['nothing', '', 'it is neither PEM nor a kubeconfig'],
    ['a key', vector('ca.key'), 'it contains no certificate'],
    ['a damaged certificate', vector('ca.crt').replace('MII', 'AAA'), 'a certificate in it is damaged ('],
    ['a certificate cut short', vector('ca.crt').slice(0, 300), 'a certificate in it is damaged ('],
    ['JSON of another kind', '{"a": 1}', 'it is neither PEM nor a kubeconfig (it names no cluster)'],
    ['a kubeconfig without a CA', 'clusters: [{cluster: {server: "https://a"}}]', 'it contains no certificate'],
    [
      'a kubeconfig with a CA elsewhere',
      'clusters: [{cluster: {server: "https://a", certificate-authority: ca.crt}}]',
      'its CA is in another file, ca.crt',
    ],
  ])('the hashes of a file cannot be computed from %s', (_, text, says) => {
    expect(() => hashes(text)).toThrow(says);
  });
});
