import { expect, test } from 'vitest';
import { recordingHost } from '../../../engine/host/recording.ts';
import { type Identity, Secret } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';

const SIGNAL = new AbortController().signal;

test('a dry run asks nothing of a server whose health it assumes, because only a real run starts it', async () => {
  const as: Identity = { server: 'https://c:6443', ca: 'CA', token: new Secret('t') };
  const memory = memoryHost({ send: () => ({ status: 200, body: {}, clockSkewMs: undefined }) });
  const dry = recordingHost(memory);
  const request = { method: 'GET', ref: undefined, path: '/version', query: {}, body: undefined } as const;
  const ask = (server: string) => dry.send({ ...request, server, as }, SIGNAL);
  await dry.wait({ kind: 'healthy', service: 'kubelet', url: 'https://c:6443/livez' }, SIGNAL);
  expect((await ask('https://other:6443')).status).toBe(200);
  expect((await joinErrorOf(() => ask(as.server)))?.message).toContain('what https://c:6443 answers when it runs');
  expect(memory.sent.map(({ server }) => server)).toEqual(['https://other:6443']);
});
