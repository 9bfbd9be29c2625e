/** Complete answers that are invalid or hostile: framing, shapes, documents, and texts for a terminal. */
import { gzipSync } from 'node:zlib';
import type { Fault as ApiFault } from '../../plugins/sandbox/index.ts';
import { documents } from './documents.ts';
import { type Fault, type RequestName, requestNames } from './fault.ts';
import {
  ANSWER,
  changed,
  deep,
  type Ends,
  EVIL,
  FIRST,
  FORBIDDEN,
  INVALID,
  KUBELET_CONFIG,
  LIMIT,
  row,
  says,
} from './row.ts';

/** How an answer is packed. */
const framing: Fault[] = [
  ...[1, 16, 90, 200, 400].map((bytes) =>
    row(`closed after ${bytes} bytes`, FIRST, { effect: 'cut', bytes, times: 1 }, 'survives'),
  ),
  ...[1, 400].map((bytes) =>
    row(`closed after ${bytes} bytes`, 'CSR create', { effect: 'cut', bytes, times: 1 }, 'survives'),
  ),
  row(
    'a body that is shorter than it says, and closed',
    FIRST,
    says('{}', { headers: { 'Content-Length': '99', Connection: 'close' } }),
    ['E_API_UNREACHABLE', 'cluster'],
  ),
  row(
    'a body that is shorter than it says, and left open',
    FIRST,
    says('{}', { headers: { 'Content-Length': '99' } }),
    LIMIT,
  ),
  row(
    'a body that is longer than it says',
    FIRST,
    says('{"metadata":{}}', { headers: { 'Content-Length': '5' } }),
    ANSWER,
  ),
  row('a length that is not a number', FIRST, says('{}', { headers: { 'Content-Length': 'many' } }), ANSWER),
  row('a body that drips', FIRST, { effect: 'drip', latencyMs: 100 }, LIMIT),
  row('a body that drips', 'node get', { effect: 'drip', latencyMs: 100 }, LIMIT),
  row('a body that begins and stops', 'kubelet-config get', says('{"kind":', { open: true }), LIMIT),
  ...([FIRST, 'node get', 'kubelet-config get'] as const).flatMap((where) => [
    row('8 MiB', where, { effect: 'huge' }, ANSWER),
    row('a body without end', where, { effect: 'endless' }, ANSWER),
  ]),
  row('5 MiB of JSON', 'CSR create', says(JSON.stringify({ metadata: {}, padding: 'x'.repeat(5 << 20) })), ANSWER),
  row('100 KiB of headers', FIRST, says('{}', { headers: { 'X-Padding': 'x'.repeat(100_000) } }), ANSWER),
  row('early hints and processing', FIRST, { effect: 'early' }, 'survives'),
  row('early hints and processing', 'CSR create', { effect: 'early' }, 'survives'),
  ...[102, 103].map((code) =>
    row(`${code} without end`, FIRST, { effect: 'informational', code, latencyMs: 5 }, ANSWER),
  ),
  row('103 without end', 'CSR watch', { effect: 'informational', latencyMs: 5 }, LIMIT),
  row('8 MiB', 'node patch', { effect: 'huge' }, 'survives'), // the next try finds it done
  row('101, another protocol', FIRST, { effect: 'instead', code: 101 }, ['E_API_UNREACHABLE', 'cluster']),
  row('204 and nothing', FIRST, { effect: 'instead', code: 204 }, ANSWER),
  row('206, a part', FIRST, says('{"metadata":', { code: 206 }), ANSWER),
  row('304, nothing new', 'kubelet-config get', { effect: 'instead', code: 304 }, ANSWER),
  row('an empty body', FIRST, says(''), ANSWER),
  row(
    'a compressed body',
    FIRST,
    says(gzipSync('{"metadata":{}}'), { headers: { 'Content-Encoding': 'gzip' } }),
    ANSWER,
  ),
  row('UTF-16', FIRST, says(Buffer.from('\ufeff{"metadata":{}}', 'utf16le')), ANSWER),
  row('a byte order mark', FIRST, says('\ufeff{"metadata":{}}'), ANSWER),
  row('bytes that are not UTF-8', FIRST, says(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), ANSWER),
  row('JSON 100,000 levels deep', FIRST, says(deep(100_000)), INVALID),
  row('JSON 100,000 levels deep', 'node get', says(deep(100_000)), 'survives'),
];

/** Values of other types than the API has. */
function scrambled(value: unknown): unknown {
  if (Array.isArray(value)) return { 0: value.map(scrambled) };
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, scrambled(inner)]));
  return typeof value === 'string' ? [value.length] : 'nonsense';
}
const begunAgain = (where: RequestName): boolean => / (list|watch)$/.test(where);
const onNull = (where: RequestName): Ends => {
  // Without a review, Joinery waits for the approval. The next attempt finds the Node patched.
  if (where === 'access review' || where === 'node patch') return 'survives';
  return begunAgain(where) ? LIMIT : ANSWER;
};
const onScrambled: Partial<Record<RequestName, Ends>> = {
  [FIRST]: INVALID,
  'cluster-info, verified': INVALID,
  'CSR get after 409': ['E_CSR_CONFLICT', 'cluster'],
  'CSR watch': LIMIT,
  'kubeadm-config get': KUBELET_CONFIG,
  'kubelet-config get': KUBELET_CONFIG,
  'node watch': LIMIT,
  'CSR list': LIMIT,
  'node list': LIMIT,
};
const shapes: Fault[] = [
  ...requestNames.map((where) => row('null', where, says('null\n'), onNull(where))),
  ...requestNames
    .filter((where) => where !== 'node get')
    .map((where) => row('values of other types', where, changed(scrambled), onScrambled[where] ?? 'survives')),
  row(
    'values of other types',
    'node get',
    says('{"metadata":{},"status":{"conditions":{"Ready":1},"nodeInfo":[]}}'),
    'survives',
  ),
  row(
    'conditions that are null',
    'node get',
    says('{"metadata":{},"status":{"conditions":[null,5,{"type":null}]}}'),
    'survives',
  ),
  row('a list', FIRST, says('[]'), ANSWER),
  row('a number', FIRST, says('5'), ANSWER),
  row('metadata that are null', FIRST, says('{"metadata":null}'), ANSWER),
  row('no data', FIRST, says('{"metadata":{}}'), INVALID),
  row('data of numbers', FIRST, says('{"metadata":{},"data":{"kubeconfig":5}}'), INVALID),
  row(
    '__proto__ among its fields',
    'node get',
    says('{"__proto__":{"status":{}},"metadata":{"__proto__":{"name":"w1"}}}'),
    'survives',
  ),
  row('a field twice', 'node get', says('{"metadata":{},"metadata":{"name":"w2"},"status":5,"status":{}}'), 'survives'),
  row(
    'no status',
    'CSR watch',
    changed((csr: object) => ({ ...csr, status: undefined })),
    LIMIT,
  ),
  row(
    'a certificate that is a number',
    'CSR watch',
    changed((csr: object) => ({ ...csr, status: { certificate: 5 } })),
    LIMIT,
  ),
  row(
    'objects of other names',
    'CSR watch',
    changed((csr: { metadata: object }) => ({ ...csr, metadata: { ...csr.metadata, name: 'other' } })),
    LIMIT,
  ),
  row(
    'objects of other names',
    'node list',
    says(
      '{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"w2"},"status":{"nodeInfo":{"kubeletVersion":"v1"}}}]}',
    ),
    'survives',
  ),
  row('no resourceVersion', 'node list', says('{"metadata":{},"items":[]}'), LIMIT),
  row('items that are a text', 'node list', says('{"metadata":{"resourceVersion":"1"},"items":"w1"}'), LIMIT),
  row(
    'a version that is not text',
    'node watch',
    changed(({ status, ...node }: { status: object }) => ({
      ...node,
      status: { ...status, nodeInfo: { kubeletVersion: 5 } },
    })),
    LIMIT,
  ),
];

/** What comes out of a watch. */
const BOOKMARK = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}}\n';
const error = (object: string): string => `{"type":"ERROR","object":${object}}`;
const lines: [name: string, line: string][] = [
  ['half a line', '{"type":"ADDED","object":{'],
  ['an event without an object', '{"type":"MODIFIED"}'],
  ['an event about null', '{"type":"MODIFIED","object":null}'],
  ['an event about an empty object', '{"type":"ADDED","object":{}}'],
  ['an event of no known type', '{"type":"NONSENSE","object":{"metadata":{}}}'],
  ['an error event 500', error(`{"code":500,"message":${JSON.stringify(EVIL)}}`)],
  ['an error event about null', error('null')],
  ['an error event whose code is a text', error(`{"code":${JSON.stringify(EVIL)}}`)],
];
const watches: Fault[] = [
  ...lines.map(([name, line]) => row(name, 'CSR watch', says(`${line}\n`, { times: 1 }), 'survives')),
  row(
    'an error event 403',
    'CSR watch',
    says(`${error(`{"code":403,"message":${JSON.stringify(EVIL)}}`)}\n`),
    FORBIDDEN,
  ),
  row('lines that are not JSON, repeated', 'CSR watch', says('<html>\n'.repeat(1000)), LIMIT),
  row('a line without end', 'CSR watch', { effect: 'endless' }, LIMIT),
  ...(['CSR watch', 'node watch'] as const).flatMap((where) => [
    row('a line that is not JSON', where, says('<html>\n', { times: 1 }), 'survives'),
    row('an error event 410', where, { effect: 'watchExpired', times: 1 }, 'survives'),
    row('410', where, { effect: 'gone', times: 1 }, 'survives'),
    row('an end at once', where, { effect: 'watchEnds', times: 3 }, 'survives'),
    row('only bookmarks', where, says(BOOKMARK.repeat(9)), LIMIT),
    row('silence after it began', where, says('', { open: true }), LIMIT),
  ]),
];

/** Texts that want to reach a terminal. */
const refusal = (code: number): ApiFault =>
  says(JSON.stringify({ kind: 'Status', message: EVIL, reason: EVIL, code }), { code });
const condition = (type: string) =>
  changed((csr: object) => ({
    ...csr,
    status: { conditions: [{ type, status: 'True', reason: EVIL, message: EVIL }] },
  }));
const texts: Fault[] = [
  row('a 403 with control characters', 'node get', refusal(403), FORBIDDEN),
  row('a 422 with control characters', 'CSR create', refusal(422), ['E_API_REFUSED', 'cluster']),
  row('a 500 with control characters', 'kubelet-config get', refusal(500), ['E_API_UNAVAILABLE', 'cluster']),
  row('a 502 page with control characters', FIRST, says(EVIL, { code: 502 }), ['E_API_UNAVAILABLE', 'cluster']),
  row('a 409 with control characters', 'node patch', refusal(409), ['E_API_REFUSED', 'cluster']),
  row('a page with control characters', FIRST, says(EVIL), ANSWER),
  row(
    'a redirect with control characters',
    FIRST,
    { effect: 'instead', code: 302, headers: { Location: 'https://x/\u009b31m\u0085' } },
    ANSWER,
  ),
  row('a Date with control characters', FIRST, { effect: 'headers', headers: { Date: '\u009b31m' } }, 'survives'),
  row('a denial with control characters', 'CSR watch', condition('Denied'), ['E_CSR_DENIED', 'cluster']),
  row('a failure with control characters', 'CSR watch', condition('Failed'), ['E_CSR_FAILED', 'cluster']),
  row(
    'a kubelet version with control characters',
    'node watch',
    changed((node: { status: object }) => ({
      ...node,
      status: { ...node.status, nodeInfo: { kubeletVersion: `v1${EVIL}` } },
    })),
    'survives',
  ),
];

export const answers: Fault[] = [...framing, ...shapes, ...watches, ...texts, ...documents];
