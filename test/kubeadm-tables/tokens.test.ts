/** kubeadm's tables of bootstrap tokens, and of the digests of a CA. */
import { describe, expect, test } from 'vitest';
import { Secret } from '../../engine/sdk/index.ts';
import { caCertificates } from '../../engine/tokens/ca-hash.ts';
import { secretOf, tokenOf } from '../../engine/tokens/secret.ts';
import { tokenAsWished } from '../../engine/tokens/token.ts';
import { authority } from '../helpers/cluster.ts';
import { type Case, casesOf, expectKubeadms, verdictOf } from './table.ts';

type Wish = Parameters<typeof tokenAsWished>[0];
type Token = Parameters<typeof secretOf>[0];
type BootstrapSecret = Parameters<typeof tokenOf>[0];

const tokens = casesOf<{ by: string }>('tokens');
const by = <T>(kind: string) => tokens.filter((each) => each.by === kind) as unknown as (T & Case)[];

describe('tokens from the command line', () => {
  test.each(by<{ wish: Wish; expires?: number }>('wish'))(
    'join run reads a token from the command line as kubeadm does: $id',
    async ({ wish, expires, ...expected }) => {
      expectKubeadms(expected, await verdictOf(() => tokenAsWished(wish, new Date(0))));
      if (expires !== undefined) expect(tokenAsWished(wish, new Date(0)).expiresAt).toEqual(new Date(expires * 1000));
    },
  );
});

describe('a token becomes a Secret', () => {
  test.each(by<{ token: { secret: string; expiresAt?: string }; data: object }>('encode'))(
    'a token becomes the Secret that kubeadm creates: $id',
    ({ token, data }) => {
      const { secret, expiresAt, ...rest } = token;
      const expires = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
      const object = secretOf({ ...rest, secret: new Secret(secret), ...expires } as unknown as Token);
      const encoded = Object.entries(object.data as Record<string, string>);
      expect(
        Object.fromEntries(encoded.map(([name, value]) => [name, Buffer.from(value, 'base64').toString()])),
      ).toEqual(data);
    },
  );
});

describe('a Secret becomes a token', () => {
  const read = tokens.filter((each) => each.by !== 'wish' && each.by !== 'encode') as unknown as (Case & {
    name: string;
    data: object;
  })[];
  test.each(read)('a Secret becomes the token that kubeadm reads: $id', ({ name, data, want }) => {
    const decode = () =>
      JSON.parse(JSON.stringify(tokenOf({ metadata: { name }, data } as unknown as BootstrapSecret)));
    if (want === null) expect(decode).toThrow();
    else expect(decode()).toMatchObject(want as object);
  });
});

describe('digests of a CA', () => {
  const ca = authority();
  test.each(casesOf<{ file: string }>('ca-hash'))(
    'the digest of a CA is accepted or refused as by kubeadm: $id',
    async ({ file, want }) => {
      const text = file.replaceAll('%CA%', Buffer.from(ca.pem).toString('base64'));
      if (want === 'no') return expect(await verdictOf(() => caCertificates(text))).toBe('no');
      const [own] = caCertificates(ca.pem);
      expect(caCertificates(text)[0]?.pin).toBe(want === 'ok' ? own?.pin : want);
    },
  );
});
