/** Kind E: trust as in Go, in both directions. No failure of TLS is "unreachable" or retried. Real TLS on loopback. */
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { clusterInfoOf } from '../../engine/kube/cluster-info.ts';
import { Transport } from '../../engine/kube/request.ts';
import { handshakeError } from '../../engine/net/tls-errors.ts';
import { isJoinError } from '../../engine/sdk/errors.ts';
import { below, type CertificateCase, HOST, LEAF, leaf, MIDDLE, middle, root } from '../helpers/certificates/case.ts';
import { altNames, ca, constraints, keyUsage } from '../helpers/certificates/extensions.ts';
import { type Certificate, inDays } from '../helpers/certificates/issue.ts';
import { certificateTable } from '../helpers/certificates/table.ts';
import { joinErrorOf } from '../helpers/errors.ts';

const SIGNAL = new AbortController().signal;
const key = LEAF.key.export({ type: 'pkcs8', format: 'pem' }).toString();
const pemOf = (chain: readonly Certificate[]) => chain.map(({ pem }) => pem).join('');

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function apiServer(options: https.ServerOptions) {
  const requests: string[] = [];
  const server = https.createServer({ key, ...options }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.setHeader('content-type', 'application/json').end('{"metadata":{},"data":{"a":"b"}}');
  });
  server.on('tlsClientError', () => undefined).listen(0, HOST);
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://${HOST}:${(server.address() as AddressInfo).port}`, requests };
}

/** Reads cluster-info from a server with this chain, and trusts these roots. */
async function clusterInfoFrom(chain: readonly Certificate[], roots: readonly Certificate[], options = {}) {
  const { url, requests } = await apiServer({ cert: pemOf(chain), ...options });
  const transport = new Transport(() => new Date());
  closing.push(() => transport.close());
  const read = () => clusterInfoOf((request) => transport.send(request, SIGNAL), url, { ca: pemOf(roots) });
  return { read, requests };
}

describe('kind E: a cluster that kubeadm joins', () => {
  test.each<[string, Certificate[], Certificate[]]>([
    ['whose CA is an intermediate', [below(MIDDLE)], [middle()]],
    ['whose CA is an intermediate that the server presents too', [below(MIDDLE), middle()], [middle()]],
    ['whose CA is an intermediate, and its root is in the bundle', [below(MIDDLE), middle()], [middle(), root()]],
  ])('a cluster that kubeadm joins is joined: %s', async (_, chain, roots) => {
    const { read } = await clusterInfoFrom(chain, roots);
    expect(await read()).toMatchObject({ data: { a: 'b' } });
  });
});

const TEN = 'IP:0a000000ff000000';
const fromRoot = (...extensions: ReturnType<typeof ca>[]): [Certificate[], Certificate[]] => [
  [leaf()],
  [root({ extensions })],
];

describe('kind E: a server that the kubelet would refuse', () => {
  test.each<[string, Certificate[], Certificate[], string]>([
    ['a common name and no alternative name', [leaf({ extensions: [] })], [root()], 'E_API_CERTIFICATE_NAME'],
    ['a name constraint', ...fromRoot(ca(), constraints({ permitted: [TEN] })), 'E_API_CERTIFICATE_UNTRUSTED'],
    ['a CA that may not sign', ...fromRoot(ca(), keyUsage('digitalSignature')), 'E_API_CERTIFICATE_UNTRUSTED'],
    ['an issuer that is not a CA', ...fromRoot(keyUsage('keyCertSign')), 'E_API_CERTIFICATE_UNTRUSTED'],
    ['a signature with SHA-1', [leaf({ algorithm: 'ECDSA-SHA1' })], [root()], 'E_API_CERTIFICATE_UNTRUSTED'],
    ['an alternative name for others', [leaf({ extensions: [altNames('DNS:x')] })], [root()], 'E_API_CERTIFICATE_NAME'],
    ['an end in the past', [leaf({ notAfter: inDays(-0.5) })], [root()], 'E_API_CERTIFICATE_TIME'],
  ])(
    'a server that the kubelet would refuse is refused permanently and gets no request: %s',
    async (_, chain, roots, code) => {
      const { read, requests } = await clusterInfoFrom(chain, roots, { ciphers: 'DEFAULT@SECLEVEL=0' });
      expect(await joinErrorOf(read)).toMatchObject({ code, exitCode: 12, transient: false });
      expect(requests).toEqual([]);
    },
  );
  test('every refusal in the table of certificates is permanent, and says what is wrong', async () => {
    const isServable = ({ verdict, host, unservable }: CertificateCase) =>
      verdict !== 'verified' && host === HOST && unservable === undefined;
    for (const { title, chain, leaf: owner, roots } of certificateTable().filter(isServable)) {
      const { read, requests } = await clusterInfoFrom(chain, roots, {
        key: owner.key.export({ type: 'pkcs8', format: 'pem' }),
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      expect(await joinErrorOf(read), title).toMatchObject({
        code: expect.stringMatching(/^E_API_(CERTIFICATE_|TLS_HANDSHAKE)/),
        exitCode: 12,
        transient: false,
      });
      expect(requests, title).toEqual([]);
    }
  });
});

describe('kind E: a TLS handshake that fails', () => {
  test('a TLS handshake that fails with an alert is permanent, and the error names the alert', async () => {
    const { read } = await clusterInfoFrom([leaf()], [root()], {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-RSA-AES128-SHA',
    });
    const error = await joinErrorOf(read);
    expect(error).toMatchObject({ code: 'E_API_TLS_HANDSHAKE', exitCode: 12, transient: false });
    expect(error.message).toContain('alert "handshake failure"');
  });
  test.each([
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'PERMITTED_VIOLATION',
    'HOSTNAME_MISMATCH',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    'ERR_SSL_NO_SUCH_CODE_IS_KNOWN_YET',
  ])('a TLS handshake that fails with %s is permanent, even if the code is unknown', (code) => {
    const error = handshakeError(Object.assign(new Error('x'), { code }), 'https://10.0.0.1:6443');
    expect(isJoinError(error) && [error.code, error.transient]).toEqual(['E_API_TLS_HANDSHAKE', false]);
  });
  test.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT', 'EMFILE'])(
    'the network error %s is not a failed TLS handshake',
    (code) => expect(handshakeError(Object.assign(new Error('x'), { code }), 'https://a')).toBeUndefined(),
  );
  test('a TLS handshake that fails is another error than an answer that is not TLS', () => {
    const error = handshakeError(Object.assign(new Error('x'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), 'https://a');
    expect(isJoinError(error) && error.code).toBe('E_API_ANSWER');
  });
});
