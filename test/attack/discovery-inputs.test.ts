import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { violations } from '../../engine/documents/validate.ts';
import { issueCertificate, readCertificates } from '../../engine/pki/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import discoveryToken from '../../phases/discovery-token/index.ts';
import { authority, clusterInfo, clusterInfoKubeconfig, DAY_MS, ENDPOINT, NOW, TOKEN } from '../helpers/cluster.ts';
import { runPhase } from '../helpers/contract.ts';

const input = { endpoint: ENDPOINT, token: TOKEN };
const signer = authority();

/** A CA whose key has this many bits. It signs nothing. */
function rsaAuthority(modulusLength: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return issueCertificate({
    subject: { commonName: 'kubernetes', organizations: [] },
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    signingKey: signer.key,
    use: 'ca',
    notBefore: NOW,
    notAfter: new Date(NOW.getTime() + DAY_MS),
  });
}

describe('the CA of a cluster', () => {
  test.each([
    [1024, ['the RSA key of the CA kubernetes has 1024 bits: with fewer than 2048 it can be broken']],
    [2048, []],
  ])('the CA of a cluster is reported if its RSA key is short: %i bits', async (bits, expected) => {
    const pem = rsaAuthority(bits);
    const body = { metadata: { name: 'cluster-info' }, data: clusterInfo(clusterInfoKubeconfig(pem)) };
    const host = memoryHost({ now: () => NOW, send: () => ({ status: 200, body, clockSkewMs: 0 }) });
    const pins = readCertificates(pem).map(({ pin }) => pin);
    const { result } = await runPhase(discoveryToken, { ...input, discoveryTokenCaCertHash: pins }, host);
    expect(result.status).toBe('succeeded');
    const warnings = result.steps[0]?.notes.filter(({ level }) => level === 'warn').map(({ text }) => text);
    expect(warnings).toEqual(expected);
  });
});

const problemsOf = (endpoint: string): string[] =>
  violations(discoveryToken.input, { ...input, endpoint })
    .filter(({ path }) => path[0] === 'endpoint')
    .map(({ message }) => message);

describe('the address of an API server', () => {
  test.each(['10.0.0.1:0', '10.0.0.1:00', '10.0.0.1:65536', '[::1]:99999'])(
    'the address of an API server is refused if no server can listen at its port: %s',
    (endpoint) => {
      expect(problemsOf(endpoint)).toEqual([
        `has the wrong form "${endpoint}": it must be host:port, with a port from 1 to 65535`,
      ]);
    },
  );

  test.each(['10.0.0.1:1', '10.0.0.1:06443', '[::1]:65535', 'a.example:9999'])(
    'the address of an API server is accepted with every other port: %s',
    (endpoint) => expect(problemsOf(endpoint)).toEqual([]),
  );
});
