import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Admin } from '../../../engine/kube/admin.ts';
import type { ApiAnswer, ApiRequest } from '../../../engine/sdk/api.ts';
import { secretOf, tokenOf } from '../../../engine/tokens/secret.ts';
import { randomToken, type TokenWish, tokenAsWished, tokenId, tokenText } from '../../../engine/tokens/token.ts';
import { joinCommand, Tokens } from '../../../engine/tokens/tokens.ts';
import { authority, clusterInfoKubeconfig, NOW, SERVER, TOKEN, TOKEN_SECRET } from '../../helpers/cluster.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';

const GROUP = 'system:bootstrappers:kubeadm:default-node-token';
const wish = (change: Partial<TokenWish> = {}): TokenWish => ({
  token: TOKEN,
  ttl: '24h',
  usages: ['signing', 'authentication'],
  groups: undefined,
  description: '',
  ...change,
});
const tokenWith = (change: Partial<TokenWish> = {}) => tokenAsWished(wish(change), NOW);
const problemsOf = async (change: Partial<TokenWish>) => {
  const { code, message } = await joinErrorOf(() => tokenWith(change));
  expect(code).toBe('E_INPUT');
  return message.split('\n');
};
const vector = JSON.parse(readFileSync(new URL('../../vectors/bootstrap-token-secret.json', import.meta.url), 'utf8'));
const encoded = (text: string) => Buffer.from(text).toString('base64');

describe('a random token', () => {
  test('a random token has the form that clusters accept, and uses all its letters', () => {
    const tokens = Array.from({ length: 200 }, randomToken);
    for (const token of tokens) expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    expect(new Set(tokens).size).toBe(200);
    expect(new Set(tokens.join('').replaceAll('.', '')).size).toBe(36);
  });
});

describe('a token as wished', () => {
  test("a requested token has kubeadm's defaults", () => {
    expect(tokenWith()).toMatchObject({
      id: 'abcdef',
      expiresAt: new Date('2026-03-05T05:06:07Z'),
      usages: ['authentication', 'signing'],
      groups: [GROUP],
    });
    expect(tokenText(tokenWith())).toBe(TOKEN);
    expect(printedForms(tokenWith())).not.toContain(TOKEN_SECRET);
  });

  test.each([
    ['90m', 5_400],
    ['1h30m', 5_400],
    ['1.5h', 5_400],
    ['45s', 45],
  ])('a token with the time to live %s expires after %i seconds', (ttl, seconds) => {
    expect(tokenWith({ ttl }).expiresAt).toEqual(new Date(NOW.getTime() + seconds * 1_000));
  });

  test.each(['0', '0s'])('a token with the time to live %s never expires', (ttl) => {
    expect(tokenWith({ ttl }).expiresAt).toBeUndefined();
  });

  test('a token for signing alone has no groups; other tokens have the named groups, or none', () => {
    expect(tokenWith({ usages: ['signing'] }).groups).toEqual([]);
    expect(tokenWith({ groups: [] }).groups).toEqual([]);
    expect(tokenWith({ groups: ['system:bootstrappers:a', 'system:bootstrappers:b:c-1'] }).groups).toHaveLength(2);
  });

  test('an invalid token is refused with every problem at once, and without quoting it', async () => {
    const problems = await problemsOf({ token: `${TOKEN}x`, ttl: '1d', usages: ['signing', 'login'], groups: ['ops'] });
    expect(problems).toEqual([
      expect.stringMatching(/^the token must be 6 and 16 lower-case letters or digits/),
      expect.stringMatching(/^--ttl 1d: must be a duration/),
      '--usages login: must be one of authentication, signing',
      expect.stringMatching(/^--groups ops: must be system:bootstrappers: and then/),
      '--groups: only a token with the usage authentication has groups',
    ]);
    expect(problems.join()).not.toContain(TOKEN_SECRET);
  });

  test.each(['', '-1h', '24', '1h ', 'h', '.h', '9999999h'])(
    'a token is refused with the time to live "%s"',
    async (ttl) => {
      expect(await problemsOf({ ttl })).toHaveLength(1);
    },
  );

  test.each(['ABCDEF.0123456789abcdef', 'abcdef', 'abcdef.0123456789abcdef\n', ''])(
    'the text "%s" is not a token',
    async (token) => {
      expect(await problemsOf({ token })).toHaveLength(1);
    },
  );

  test.each(['system:masters', 'system:bootstrappers:', 'system:bootstrappers:a:', 'system:bootstrappers:A', 'x'])(
    'a token cannot be in the group %s',
    async (group) => {
      expect(await problemsOf({ groups: [group] })).toHaveLength(1);
    },
  );

  test('a token has at least one usage', async () => {
    expect(await problemsOf({ usages: [] })).toEqual(['--usages: at least one of authentication, signing is needed']);
  });
});

describe('the id of a token', () => {
  test.each([
    ['abcdef', 'abcdef'],
    [TOKEN, 'abcdef'],
    ['abcde', undefined],
    ['abcdef.', undefined],
    ['abcdef.0123', undefined],
    ['../xyz', undefined],
  ])('the token ID of %s is %s', (text, id) => {
    expect(tokenId(text)).toBe(id);
  });
});

describe('the Secret of a token', () => {
  test('the Secret of a token equals the one of the reference, in both directions', () => {
    const token = tokenOf(vector);
    expect(tokenText(token)).toBe('abcdef.0123456789abcdef');
    expect(secretOf(token)).toEqual(vector);
  });

  test('the Secret of a token contains only fields with a value', () => {
    const { data } = secretOf(tokenWith({ ttl: '0', usages: ['signing'] }));
    expect(Object.keys(data ?? {})).toEqual(['token-id', 'token-secret', 'usage-bootstrap-signing']);
  });

  test.each([
    ['expiration', 'tomorrow', 'its expiration is not an RFC 3339 time'],
    ['expiration', '2026', 'its expiration is not an RFC 3339 time'],
    ['token-id', 'zzzzzz', 'its token-id is not the end of its name'],
    ['token-secret', 'short', 'its token-id and token-secret do not form a token'],
  ])('a Secret with the %s %s is not a token', (key, text, says) => {
    expect(() => tokenOf({ ...vector, data: { ...vector.data, [key]: encoded(text) } })).toThrow(says);
  });

  test('a usage with any value but true is not set', () => {
    const data = { ...vector.data, 'usage-bootstrap-signing': encoded('yes') };
    expect(tokenOf({ ...vector, data }).usages).toEqual(['authentication']);
  });
});

describe('the tokens of a cluster', () => {
  const ca = authority();
  const admin: Admin = { file: 'admin.conf', server: SERVER, ca: ca.pem };
  const tokensOf = (status: number, body: object, sent: ApiRequest[] = []) =>
    new Tokens(admin, async (request): Promise<ApiAnswer> => {
      sent.push(request);
      return { status, body, clockSkewMs: undefined };
    });

  test('the tokens of a cluster are listed by ID, and invalid Secrets are listed separately', async () => {
    const sent: ApiRequest[] = [];
    const second = secretOf(tokenWith({ token: 'aaaaaa.0123456789abcdef' }));
    const items = [vector, { metadata: { name: 'bootstrap-token-broken' } }, second];
    const { tokens, unusable } = await tokensOf(200, { items }, sent).list();
    expect(tokens.map(({ id }) => id)).toEqual(['aaaaaa', 'abcdef']);
    expect(unusable).toEqual([{ secret: 'bootstrap-token-broken', reason: 'its token-id is not the end of its name' }]);
    expect(sent).toMatchObject([
      {
        path: '/api/v1/namespaces/kube-system/secrets',
        query: { fieldSelector: 'type=bootstrap.kubernetes.io/token' },
        as: admin,
      },
    ]);
  });

  test.each([
    [401, 'kubeadm certs renew admin.conf'],
    [403, 'Choose the kubeconfig of an administrator'],
  ])(
    'a user may not manage tokens if the API server answers %i, and the hint fits the answer',
    async (status, hint) => {
      for (const act of ['list', 'create', 'delete'] as const) {
        const tokens = tokensOf(status, { message: 'no\u0007' });
        const error = await joinErrorOf(() => (act === 'create' ? tokens.create(tokenWith()) : tokens[act]('abcdef')));
        expect(error).toMatchObject({ code: 'E_KUBECONFIG_ACCESS', exitCode: 5 });
        expect(error.message).toBe(
          `${SERVER}: the user of admin.conf is not allowed to ${act} bootstrap tokens (HTTP ${status}): no`,
        );
        expect(error.hint).toContain(hint);
      }
    },
  );

  test('listing, creating or deleting tokens fails if the API server refuses or answers without a list', async () => {
    expect((await joinErrorOf(() => tokensOf(200, {}).list())).code).toBe('E_API_ANSWER');
    expect((await joinErrorOf(() => tokensOf(503, {}).create(tokenWith()))).code).toBe('E_API_UNAVAILABLE');
    expect((await joinErrorOf(() => tokensOf(409, {}).delete('abcdef'))).code).toBe('E_API_REFUSED');
    expect((await joinErrorOf(() => tokensOf(404, {}).create(tokenWith()))).code).toBe('E_API_REFUSED');
  });

  test('the join command names the server and CA of cluster-info, which is read anonymously', async () => {
    const sent: ApiRequest[] = [];
    const next = authority('next');
    const kubeconfig = clusterInfoKubeconfig(ca.pem + next.pem, 'https://lb.example/');
    const target = await tokensOf(200, { metadata: {}, data: { kubeconfig } }, sent).joinTarget();
    expect(target).toEqual({ endpoint: 'lb.example:443', pins: [ca.pin, next.pin] });
    expect(sent).toMatchObject([{ server: SERVER, as: { ca: ca.pem } }]);
    expect(sent[0]?.as).not.toHaveProperty('server');
    expect(joinCommand(tokenWith(), target)).toBe(
      `join run lb.example:443 --token ${TOKEN} --discovery-token-ca-cert-hash ${ca.pin} --discovery-token-ca-cert-hash ${next.pin}`,
    );
  });

  test('the join command is not available if cluster-info is not public or is empty', async () => {
    expect((await joinErrorOf(() => tokensOf(403, {}).joinTarget())).code).toBe('E_CLUSTER_INFO_MISSING');
    const empty = tokensOf(200, { metadata: {}, data: {} });
    expect((await joinErrorOf(() => empty.joinTarget())).code).toBe('E_CLUSTER_INFO_INVALID');
  });
});
