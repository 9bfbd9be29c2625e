import { expect, test } from 'vitest';
import { dryRunClient } from '../../../engine/kube/dry-run.ts';
import { isReady, type NodeObject, nodeRef } from '../../../engine/node/index.ts';
import { type ApiRequest, objectPath } from '../../../engine/sdk/api.ts';
import { Secret } from '../../../engine/sdk/index.ts';

const SIGNAL = new AbortController().signal;
const as = { server: 'https://127.0.0.1:6443', ca: 'CA', token: new Secret('abcdef.0123456789abcdef') };

test('a dry run never patches on the server an object that only the dry run has', async () => {
  const sent: ApiRequest[] = [];
  const send = async (request: ApiRequest) => {
    sent.push(request);
    return { status: 404, body: {}, clockSkewMs: 0 };
  };
  const client = dryRunClient(
    { send, waitFor: () => Promise.reject(new Error('a dry run does not wait')) },
    () => new Date(),
  );
  const ref = nodeRef('w1');
  const done = (found: unknown) => isReady(found as NodeObject);
  await client.waitFor({ as, ref, done, from: undefined }, SIGNAL);
  sent.length = 0;
  const patch = {
    method: 'PATCH',
    path: objectPath(ref),
    query: {},
    body: { metadata: { labels: { a: 'b' } } },
  } as const;
  expect(await client.send({ server: as.server, as, ref, ...patch }, SIGNAL)).toMatchObject({
    status: 200,
    dryRun: { unchecked: 'the object does not exist yet' },
  });
  expect(sent).toEqual([]);
});
