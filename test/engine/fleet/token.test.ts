/** The token of one attempt: created once, recognised by its description, and deleted. */
import { expect, test } from 'vitest';
import { tokenIdOf } from '../../../engine/fleet/steps/token.ts';
import { tokenAsWished } from '../../../engine/tokens/token.ts';
import { fleetScene, tokensIn } from '../../helpers/fleet.ts';

const HOUR_MS = 3_600_000;

test('a step that is repeated finds its token again, and another attempt has another one', async () => {
  const { sandbox, steps, context } = await fleetScene({ hosts: 2 });
  const ids = await Promise.all([1, 2, 3].map(() => steps.token(context(0))));
  expect(new Set(ids).size).toBe(1);
  expect(tokensIn(sandbox)).toEqual([ids[0]]);
  const [second, other] = [await steps.token(context(0, { attempt: 2 })), await steps.token(context(1))];
  expect(new Set([ids[0], second, other]).size).toBe(3);
  await steps.revoke(context(0), String(ids[0]));
  await steps.revoke(context(0), String(ids[0]));
  expect(tokensIn(sandbox).sort()).toEqual([second, other].sort());
});

test('a token of other origin with the same ID is neither used nor deleted', async () => {
  const { sandbox, cluster, steps, context } = await fleetScene({ hosts: 1 });
  const id = tokenIdOf(context(0), 0);
  const wish = { ttl: '1h', usages: ['signing', 'authentication'], groups: undefined, description: 'of an admin' };
  await cluster.tokens.create(tokenAsWished({ ...wish, token: `${id}.0123456789abcdef` }, new Date()));
  const own = await steps.token(context(0));
  expect(own).toBe(tokenIdOf(context(0), 1));
  await expect(steps.join(context(0), { state: 'none' }, id, { fromSeq: 1, onEvent: () => undefined })).rejects.toEqual(
    expect.objectContaining({ code: 'E_FLEET_TOKEN' }),
  );
  await steps.revoke(context(0), id);
  await steps.revoke(context(0), own);
  expect(tokensIn(sandbox)).toEqual([id]);
});

test('a token that has almost expired is replaced by one with a new secret', async () => {
  const { sandbox, steps, context } = await fleetScene({ hosts: 1 });
  const secretOf = (id: string) => sandbox.store.get('secrets', `bootstrap-token-${id}`, 'kube-system');
  const short = context(0);
  const id = await steps.token({ ...short, fleet: { ...short.fleet, tokenTtlMs: 30_000 } });
  const before = secretOf(id);
  expect(await steps.token({ ...short, fleet: { ...short.fleet, tokenTtlMs: HOUR_MS } })).toBe(id);
  const after = secretOf(id);
  expect(after?.data).not.toEqual(before?.data);
});
