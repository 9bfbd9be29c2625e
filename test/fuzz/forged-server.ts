/** An API server that answers with any bytes, and a client that reads them. */
import { once } from 'node:events';
import { createServer, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { kubeAccess } from '../../engine/kube/access.ts';
import { csrRef } from '../../engine/node/index.ts';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../engine/pki/index.ts';
import { asJson, bent, type Shape, soup, swollen } from './shapes.ts';

const STATUSES = [200, 200, 200, 201, 204, 304, 400, 401, 403, 404, 409, 410, 429, 500, 503];
const head = (status: number): string =>
  `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n`;
/** Ends a watch permanently, after any other events. */
const LAST_EVENT = '\n{"type":"ERROR","object":{"code":403}}\n';

let answers: Buffer[] = [];
let listening: Promise<{ server: string; ca: string }> | undefined;

/** A CA, and a certificate of it for this machine. */
function identityOfServer(): { ca: string; key: string; cert: string } {
  const [caKey, key] = [generateKeyPem(), generateKeyPem()];
  const issuer = { commonName: 'forged', organizations: [] };
  const dates = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) };
  const ca = { ...dates, subject: issuer, publicKey: publicKeyDer(caKey), signingKey: caKey, use: 'ca' } as const;
  const subject = { commonName: 'localhost', organizations: [] };
  const leaf = { ...dates, subject, issuer, publicKey: publicKeyDer(key), signingKey: caKey, use: 'server' } as const;
  return { ca: issueCertificate(ca), key, cert: issueCertificate({ ...leaf, altNames: ['127.0.0.1'] }) };
}

/** Each connection gets the next answer; the last answer repeats. */
async function start(): Promise<{ server: string; ca: string }> {
  const { ca, ...own } = identityOfServer();
  const server = createServer(own, (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.end((answers.length > 1 ? answers.shift() : answers[0]) ?? ''));
  });
  server.on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return { server: `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, ca };
}

/**
 * The first byte selects the request, the second the status of the answer. With 0, the rest is the whole answer,
 * including its head.
 */
export async function overHttp(bytes: Buffer): Promise<void> {
  listening ??= start();
  const { server, ca } = await listening;
  const [ask = 0, status = 0] = bytes;
  const said = bytes.subarray(2);
  const isWatch = ask % 5 === 1;
  const refused = Buffer.from(`${head(403)}{}`);
  if (status === 0) answers = [said, refused];
  else {
    const body = isWatch ? [said, Buffer.from(LAST_EVENT)] : [said];
    answers = [Buffer.concat([Buffer.from(head(STATUSES[status % STATUSES.length] ?? 200)), ...body]), refused];
  }

  const connections = kubeAccess.connect(() => new Date());
  const kube = kubeAccess.port({
    client: connections,
    signal: new AbortController().signal,
    requireAlive: () => undefined,
    requireApi: () => undefined,
    allowsServer: () => true,
    readFile: async () => undefined,
    record: async () => async () => undefined,
    onChange: () => undefined,
  });
  const api = kube.as({ server, ca });
  const ref = csrRef('a');
  const object = { metadata: { name: 'a', resourceVersion: '1' } };
  try {
    if (ask % 5 === 0) await api.get(ref);
    else if (isWatch) await api.waitFor(ref, (found) => found?.metadata.name === 'done', object);
    else if (ask % 5 === 2) await kube.clusterInfo(server, 'unverified');
    else if (ask % 5 === 3) await api.create(ref, object);
    else await api.waitFor(ref, (found) => found?.metadata.name === 'done');
  } finally {
    await connections.close();
  }
}

const object = {
  apiVersion: 'v1',
  kind: 'CSR',
  metadata: { name: 'a', resourceVersion: '7' },
  data: { kubeconfig: 'x' },
};
const list = { kind: 'List', metadata: { resourceVersion: '5' }, items: [object] };
const event = { type: 'MODIFIED', object };
const refusal = { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'gone' } };

export const HTTP_TOKENS = [
  ...[
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 ',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 X\r\nUpgrade: x\r\n',
    '\r\n',
    '\n',
  ],
  ...[
    'Content-Length: ',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Encoding: gzip\r\n',
    'Date: ',
  ],
  ...[
    'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n',
    'Location: /\r\n',
    'Connection: keep-alive\r\n',
    'Connection: close\r\n',
    '5\r\n',
  ],
  ...[
    '0\r\n\r\n',
    'ffffffffffffffff\r\n',
    '{}',
    'null',
    '[]',
    '"',
    '{"type":"BOOKMARK"}\n',
    '{"metadata":null}',
    '\u0000',
    '\ud800',
  ],
];

const LINES_BYTES_MAX = 5 << 20;
const bodies = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(bent(event, refusal), { maxLength: 4 }).map((events) => events.map(asJson).join('\n')),
  },
  { weight: 4, arbitrary: bent(object, list).map((body) => asJson(body).toString()) },
  { weight: 2, arbitrary: soup(HTTP_TOKENS).map(String) },
);
export const httpShape: Shape = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .tuple(fc.nat(4), fc.integer({ min: 1, max: STATUSES.length * 3 }), bodies)
      .map(([ask, status, body]) => Buffer.concat([Uint8Array.of(ask, status), Buffer.from(body)])),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(4), soup(HTTP_TOKENS)).map(([ask, raw]) => Buffer.concat([Uint8Array.of(ask, 0), raw])),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(4), fc.nat(1), swollen(HTTP_TOKENS, LINES_BYTES_MAX))
      .map(([ask, status, body]) => Buffer.concat([Uint8Array.of(ask, status * 15), body])),
  },
);
