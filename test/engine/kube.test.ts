import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { memoryHost } from '../../engine/host/memory.ts';
import { kubePort } from '../../engine/kube/port.ts';
import { Transport } from '../../engine/kube/transport.ts';
import { watchObject } from '../../engine/kube/watch.ts';
import { csrRef, type KubeObject } from '../../engine/sdk/index.ts';
import { joinErrorOf } from '../helpers/errors.ts';

const head = (status: number) => `HTTP/1.1 ${status} X\r\nConnection: close\r\n\r\n`;
const ref = csrRef('a');
const object = (name = 'a') => ({ metadata: { name, resourceVersion: '7' } });
const DONE = `${JSON.stringify({ type: 'MODIFIED', object: object('done') })}\n`;

/** A server that gives each connection the next answer, in the pieces it is written in, and a client of it. */
async function answering(...answers: (string | Buffer)[][]) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', async () => {
      for (const piece of answers.shift() ?? [`${head(403)}{}`]) {
        socket.write(piece);
        await sleep(20); // or they would arrive as one
      }
      socket.end();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const transport = new Transport(() => new Date());
  onTestFinished(async () => {
    await transport.close();
    server.close();
  });
  const { signal } = new AbortController();
  const host = {
    ...memoryHost(),
    send: (request: Parameters<Transport['send']>[0]) => transport.send(request, signal),
    wait: (condition: Parameters<ReturnType<typeof memoryHost>['wait']>[0]) =>
      condition.kind === 'object' ? watchObject(transport, condition, signal) : Promise.resolve(),
  };
  const kube = kubePort(
    host,
    signal,
    { alive: () => undefined, api: () => undefined },
    { record: async () => undefined, onChange: () => undefined },
  );
  const api = kube.as({ server: url, ca: '' });
  const isDone = (found: KubeObject | undefined) => found?.metadata.name === 'done';
  return {
    url,
    kube,
    api,
    watch: () => api.waitFor(ref, isDone, object()),
    listAndWatch: () => api.waitFor(ref, isDone),
  };
}

describe('an answer that makes no sense', () => {
  test('because it is no HTTP is said to be none', async () => {
    const { api } = await answering(['SSH-2.0-OpenSSH_9.2\r\n']);
    expect(await joinErrorOf(() => api.get(ref))).toMatchObject({ code: 'E_API_ANSWER', facts: { what: 'not HTTP' } });
  });

  test.each(['null', '[]', '"text"', '{}', '{"metadata":null}', '{"metadata":[]}'])(
    'is no object: %s',
    async (body) => {
      const { api } = await answering([head(200) + body]);
      expect(await joinErrorOf(() => api.get(ref))).toMatchObject({ code: 'E_API_ANSWER', transient: true });
    },
  );

  test.each(['{"kubeconfig":1}', '{"kubeconfig":{"length":1}}', '{"a":null}', '[1]', '"text"'])(
    'is a cluster-info whose data are %s',
    async (data) => {
      const { kube, url } = await answering([`${head(200)}{"metadata":{},"data":${data}}`]);
      expect(await joinErrorOf(() => kube.clusterInfo(url, 'unverified'))).toMatchObject({
        code: 'E_API_ANSWER',
        facts: { what: 'a ConfigMap whose data are no texts' },
      });
    },
  );

  test.each(['null', '{"items":[]}', '{"metadata":{}}', '{"metadata":{"resourceVersion":1}}'])(
    'is asked for again where it should be a list: %s',
    async (body) => {
      const list = `{"metadata":{"resourceVersion":"5"},"items":[${JSON.stringify(object('done'))}]}`;
      const { listAndWatch } = await answering([head(200) + body], [head(200) + list]);
      expect(await listAndWatch()).toMatchObject({ metadata: { name: 'done' } });
    },
  );
});

describe('a watch', () => {
  test.each([
    'null',
    '[]',
    'no JSON',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{}}',
    '{"type":"ADDED","object":{"metadata":{"resourceVersion":{"a":[]}}}}',
    '{"type":"ERROR","object":null}',
    '{"type":"ERROR","object":{"code":200,"metadata":{"name":"done"}}}',
  ])('begins again after an event that makes no sense: %s', async (line) => {
    const { watch } = await answering([`${head(200)}${line}\n`], [head(200) + DONE]);
    expect(await watch()).toEqual(object('done'));
  });

  test.each([
    ['is told its length, as API servers do', [`HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\n{}`]],
    ['goes on and on', [head(403), 'x'.repeat(300_000), 'x'.repeat(300_000)]],
  ])('ends with the refusal, also where that %s', async (_, refusal) => {
    const { watch } = await answering(refusal);
    expect(await joinErrorOf(watch)).toMatchObject({ code: 'E_API_FORBIDDEN' });
    await sleep(50); // an error of the stream that nobody listens for would end the process here
  });

  test('reads a letter that comes in two pieces', async () => {
    const line = Buffer.from(DONE.replace('}}', ',"labels":{"a":"ü"}}}'));
    const middle = line.indexOf('ü') + 1;
    const { watch } = await answering([head(200), line.subarray(0, middle), line.subarray(middle)]);
    expect(await watch()).toMatchObject({ metadata: { labels: { a: 'ü' } } });
  });

  test('refuses a line that does not end', async () => {
    const { watch } = await answering([`${head(200)}"${'a'.repeat(3 << 20)}`], [`${head(200)}${DONE}`]);
    expect(await watch()).toEqual(object('done'));
  });
});
