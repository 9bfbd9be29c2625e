import { describe, expect, test } from 'vitest';
import type { ApiAnswer, ApiRequest } from '../../engine/sdk/api.ts';
import { isSecret } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import discoveryToken from '../../phases/discovery-token/index.ts';
import {
  authority,
  clusterInfo,
  clusterInfoKubeconfig,
  ENDPOINT,
  NOW,
  SERVER,
  TOKEN,
  TOKEN_ID,
  TOKEN_SECRET,
} from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { joinErrorOf, printedForms } from '../helpers/errors.ts';

const ca = authority();
const other = authority('other');
const NO_CLUSTER = 'it has neither a cluster without a name nor a current context with a cluster';
const input = { endpoint: ENDPOINT, token: TOKEN, discoveryTokenCaCertHash: [ca.pin] };
const info = clusterInfo(clusterInfoKubeconfig(ca.pem));
const answer = (
  data: Record<string, string> | undefined,
  status = 200,
  clockSkewMs: number | undefined = 0,
): ApiAnswer => ({
  status,
  body: { metadata: { name: 'cluster-info' }, ...(data === undefined ? {} : { data }) },
  clockSkewMs,
});
const serving = (...answers: ApiAnswer[]) => {
  let asked = 0;
  return memoryHost({ now: () => NOW, send: () => answers[Math.min(asked++, answers.length - 1)] ?? answer(info) });
};
const discover = (host = serving(answer(info)), inputs: Record<string, unknown> = input) =>
  runPhase(discoveryToken, inputs, host);
const trustOf = ({ as }: ApiRequest): unknown => as;

itKeepsThePhaseContract(discoveryToken, {
  input: { ...input, tlsBootstrapToken: 'fedcba.canary9876543210' },
  machine: () => ({ now: () => NOW, send: () => answer(info) }),
  secrets: [TOKEN_SECRET, 'canary9876543210'],
  changesNothing: true,
});

describe('discovery-token', () => {
  test('discovery-token reads cluster-info anonymously, then with the pinned CA, and outputs the cluster', async () => {
    const host = serving(answer(info));
    const { result, error } = await discover(host);
    expect(error).toBeUndefined();
    expect(host.sent.map(trustOf)).toEqual(['unverified', { ca: ca.certificate.pem }]);
    expect(host.sent.map(({ server, method, path }) => [server, method, path])).toEqual(
      Array(2).fill([SERVER, 'GET', '/api/v1/namespaces/kube-public/configmaps/cluster-info']),
    );
    const outputs = result.steps[0]?.outputs as { identity: { token: unknown } };
    const cluster = { server: SERVER, ca: ca.pem };
    expect(outputs).toEqual({ ...cluster, identity: { ...cluster, token: expect.anything() } });
    const { token } = outputs.identity;
    expect(isSecret(token) && token.reveal()).toBe(TOKEN);
  });

  test('discovery-token never sends the token', async () => {
    const host = serving(answer(info));
    await discover(host);
    for (const request of host.sent)
      expect(printedForms({ ...request, as: JSON.stringify(request.as) })).not.toContain(TOKEN_SECRET);
  });

  test('discovery-token outputs the server that cluster-info names, not the endpoint', async () => {
    const elsewhere = clusterInfo(clusterInfoKubeconfig(ca.pem, 'https://10.0.0.9:8443/'));
    const { result } = await discover(serving(answer(elsewhere)));
    expect(result.steps[0]?.outputs).toMatchObject({ server: 'https://10.0.0.9:8443' });
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'its own token, if it has one',
      { token: TOKEN, tlsBootstrapToken: 'tttttt.0123456789abcdef' },
      'tttttt.0123456789abcdef',
    ],
    ['the common one', { token: 'cccccc.0123456789abcdef', discoveryToken: TOKEN }, 'cccccc.0123456789abcdef'],
    ['the discovery token, if there is no other', { discoveryToken: TOKEN }, TOKEN],
  ])('discovery-token passes a token to the TLS bootstrap: %s', async (_, tokens, expected) => {
    const { result } = await discover(undefined, { endpoint: ENDPOINT, discoveryTokenCaCertHash: [ca.pin], ...tokens });
    const outputs = result.steps[0]?.outputs as { identity?: { token?: unknown } };
    const token = outputs?.identity?.token;
    expect(isSecret(token) && token.reveal()).toBe(expected);
  });

  describe('discovery-token with pinned keys', () => {
    test.each([
      ['several, of which one fits', [other.pin, ca.pin]],
      ['in upper case', [`SHA256:${ca.pin.slice(7).toUpperCase()}`]],
    ])('discovery-token accepts %s as a pin', async (_, discoveryTokenCaCertHash) => {
      const { error, result } = await discover(undefined, { ...input, discoveryTokenCaCertHash });
      expect(error).toBeUndefined();
      expect(result.steps[0]?.notes.filter(({ level }) => level === 'warn')).toEqual([]);
    });

    test('discovery-token trusts only the pinned CA of two, and takes the other as an intermediate', async () => {
      const bundle = ca.pem + other.pem;
      const host = serving(answer(clusterInfo(clusterInfoKubeconfig(bundle))));
      const { error, result } = await discover(host, { ...input, discoveryTokenCaCertHash: [other.pin] });
      expect(error).toBeUndefined();
      const trusted = { ca: other.certificate.pem, intermediates: ca.certificate.pem };
      expect(host.sent.map(trustOf)).toEqual(['unverified', trusted]);
      expect(result.steps[0]?.outputs).toMatchObject({ ca: bundle });
    });

    test('discovery-token refuses a CA that is not pinned, before a second request', async () => {
      const host = serving(answer(info));
      const { error } = await discover(host, { ...input, discoveryTokenCaCertHash: [other.pin] });
      expect(error).toMatchObject({
        code: 'E_CA_PIN_MISMATCH',
        facts: { server: SERVER, pinned: [other.pin], seen: [ca.pin] },
        exitCode: 12,
        transient: false,
      });
      expect(host.sent).toHaveLength(1);
    });

    test('discovery-token refuses two different answers for cluster-info', async () => {
      const second = clusterInfo(clusterInfoKubeconfig(ca.pem, 'https://evil:6443'));
      const { error } = await discover(serving(answer(info), answer(second)));
      expect(error).toMatchObject({ code: 'E_CLUSTER_INFO_CHANGED', facts: { server: SERVER }, exitCode: 12 });
    });

    test('discovery-token enforces pins even if verification may be skipped', async () => {
      const unpinned = { ...input, discoveryTokenUnsafeSkipCaVerification: true };
      const { error } = await discover(undefined, { ...unpinned, discoveryTokenCaCertHash: [other.pin] });
      expect(error).toMatchObject({ code: 'E_CA_PIN_MISMATCH' });
    });
  });

  test('discovery-token without a pin sends one request and warns', async () => {
    const host = serving(answer(info));
    const { error, result } = await discover(host, {
      endpoint: ENDPOINT,
      token: TOKEN,
      discoveryTokenUnsafeSkipCaVerification: true,
    });
    expect(error).toBeUndefined();
    expect(host.sent.map(trustOf)).toEqual(['unverified']);
    expect(result.steps[0]?.notes).toContainEqual({
      level: 'warn',
      text: expect.stringContaining('the CA is not pinned'),
    });
  });

  const kubeconfig = info.kubeconfig ?? '';
  const signed = (text: string) => answer(clusterInfo(text));
  test.each<[string, ApiAnswer, object]>([
    [
      'anonymous access is off',
      answer(undefined, 401),
      { code: 'E_CLUSTER_INFO_MISSING', facts: { server: SERVER, status: 401 }, exitCode: 5 },
    ],
    [
      'cluster-info is not public',
      answer(undefined, 403),
      { code: 'E_CLUSTER_INFO_MISSING', facts: { server: SERVER, status: 403 } },
    ],
    [
      'there is no cluster-info',
      answer(undefined, 404),
      { code: 'E_CLUSTER_INFO_MISSING', facts: { server: SERVER, status: 404 } },
    ],
    ['the server is starting', answer(undefined, 503), { code: 'E_API_UNAVAILABLE', transient: true }],
    [
      'it has no data',
      answer(undefined),
      { code: 'E_CLUSTER_INFO_INVALID', facts: { server: SERVER, what: 'it has no kubeconfig key' } },
    ],
    ['its kubeconfig is empty', answer({ ...info, kubeconfig: '' }), { code: 'E_CLUSTER_INFO_INVALID' }],
    [
      'the token is unknown: deleted, expired, or not yet signed for',
      answer({ kubeconfig }),
      { code: 'E_TOKEN_UNKNOWN', facts: { server: SERVER, tokenId: TOKEN_ID }, transient: true, exitCode: 12 },
    ],
    ['its signature is empty', answer({ kubeconfig, [`jws-kubeconfig-${TOKEN_ID}`]: '' }), { code: 'E_TOKEN_UNKNOWN' }],
    [
      'the secret is wrong',
      answer(clusterInfo(kubeconfig, `${TOKEN_ID}.0000000000000000`)),
      {
        code: 'E_CLUSTER_INFO_SIGNATURE',
        facts: { server: SERVER, tokenId: TOKEN_ID },
        transient: false,
        exitCode: 12,
      },
    ],
    [
      'it was changed after it was signed',
      answer({ ...info, kubeconfig: `${kubeconfig} ` }),
      { code: 'E_CLUSTER_INFO_SIGNATURE' },
    ],
    [
      'the signature of another token stands in its place',
      answer({
        kubeconfig,
        [`jws-kubeconfig-${TOKEN_ID}`]:
          clusterInfo(kubeconfig, `zzzzzz.${TOKEN_SECRET}`)['jws-kubeconfig-zzzzzz'] ?? '',
      }),
      { code: 'E_CLUSTER_INFO_SIGNATURE' },
    ],
    ['it is not YAML', signed('a: b: c'), { code: 'E_CLUSTER_INFO_INVALID' }],
    [
      'it is not a mapping',
      signed('[]'),
      { code: 'E_CLUSTER_INFO_INVALID', facts: { server: SERVER, what: 'the document is not a mapping' } },
    ],
    [
      'it names no cluster',
      signed('clusters: null'),
      { code: 'E_CLUSTER_INFO_INVALID', facts: { server: SERVER, what: NO_CLUSTER } },
    ],
    [
      'it names two clusters and no context that chooses one',
      signed(kubeconfig.replace('name: ""', 'name: a').replace('contexts:', '- { name: b, cluster: {} }\ncontexts:')),
      { code: 'E_CLUSTER_INFO_INVALID', facts: { server: SERVER, what: NO_CLUSTER } },
    ],
    [
      'its server is not https',
      signed(clusterInfoKubeconfig(ca.pem, 'http://x:1')),
      {
        code: 'E_CLUSTER_INFO_INVALID',
        facts: { server: SERVER, what: 'its server http://x:1 is not https://host:port' },
      },
    ],
    [
      'it contains no CA',
      signed(clusterInfoKubeconfig('')),
      { code: 'E_CLUSTER_INFO_INVALID', facts: { server: SERVER, what: 'it contains no CA certificate' } },
    ],
    [
      'its CA is damaged',
      signed(clusterInfoKubeconfig('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')),
      { code: 'E_CLUSTER_INFO_INVALID' },
    ],
    [
      'the clock of the machine is behind',
      answer(info, 200, 120_000),
      { code: 'E_CLOCK_SKEW', facts: { server: SERVER, skewSeconds: 120 }, exitCode: 12 },
    ],
    [
      'the clock of the machine is ahead',
      answer(info, 200, -61_000),
      { code: 'E_CLOCK_SKEW', facts: { server: SERVER, skewSeconds: -61 } },
    ],
    ['the answer is a list', { status: 200, body: [], clockSkewMs: 0 }, { code: 'E_API_ANSWER', transient: true }],
  ])('discovery-token fails if %s', async (_, first, expected) => {
    const host = serving(first);
    const { error, changes } = await discover(host);
    expect(error).toMatchObject(expected);
    expect(host.sent).toHaveLength(1); // an untrusted server gets no second request
    expect(changes).toEqual([]);
    expect(printedForms(error)).not.toContain(TOKEN_SECRET);
  });

  test.each([60_000, -60_000, undefined])('discovery-token accepts a clock difference of %s ms', async (skew) => {
    expect((await discover(serving(answer(info, 200, skew)))).error).toBeUndefined();
  });

  test('discovery-token checks the signature before it parses the signed text', async () => {
    const { error } = await discover(serving(answer({ ...info, kubeconfig: '&a [*a' })));
    expect(error).toMatchObject({ code: 'E_CLUSTER_INFO_SIGNATURE' });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no token', { endpoint: ENDPOINT, discoveryTokenCaCertHash: [ca.pin] }, 'a token is required'],
    ['no pin', { endpoint: ENDPOINT, token: TOKEN }, 'the CA key must be pinned'],
    ['no endpoint', { token: TOKEN, discoveryTokenCaCertHash: [ca.pin] }, '--endpoint is missing'],
    [
      'an endpoint without a port',
      { ...input, endpoint: 'api.example' },
      '--endpoint has the wrong form "api.example"',
    ],
    [
      'a pin of another form',
      { ...input, discoveryTokenCaCertHash: ['sha256:12'] },
      '--discovery-token-ca-cert-hash has the wrong form "sha256:12"',
    ],
    [
      'a token of another form',
      { ...input, token: `ABCDEF.${TOKEN_SECRET}` },
      '--token has the wrong form: it must be 6 and 16',
    ],
  ])('discovery-token refuses %s before any request', async (_, values, text) => {
    const host = serving(answer(info));
    const error = await joinErrorOf(() => discover(host, values));
    expect(error.code).toBe('E_INPUT');
    expect(error.message).toContain(text);
    expect(printedForms(error)).not.toContain(TOKEN_SECRET);
    expect(host.sent).toEqual([]);
  });
});
