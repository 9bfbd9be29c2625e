/** ASN.1 in DER that is almost right, and the PEM around it. */
import fc from 'fast-check';
import { type Shape, soup, swollen } from './shapes.ts';

interface Tlv {
  tag: number;
  content: Tlv[] | Buffer;
  /** How its length is written. */
  length?: (typeof LENGTHS)[number];
}

const LENGTHS = ['right', 'padded', 'indefinite', 'short', 'long', 'huge'] as const;
const TAGS = [
  0x30, 0x31, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x01, 0xa0, 0xa3, 0x80, 0x24, 0x1f, 0x3f, 0,
];

const lengthBytes = (length: number): number[] => {
  if (length < 0x80) return [length];
  const bytes = [...Buffer.from(length.toString(16).padStart(8, '0'), 'hex')];
  while (bytes[0] === 0) bytes.shift();
  return [0x80 + bytes.length, ...bytes];
};

function encoded({ tag, content, length = 'right' }: Tlv): Buffer {
  const body = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(encoded));
  const written = {
    right: lengthBytes(body.length),
    padded: [0x84, ...Buffer.from(body.length.toString(16).padStart(8, '0'), 'hex')],
    indefinite: [0x80],
    short: lengthBytes(Math.max(0, body.length - 1)),
    long: lengthBytes(body.length + 1),
    huge: [0x86, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  }[length];
  return Buffer.concat([
    Uint8Array.of(tag, ...written),
    body,
    Uint8Array.of(...(length === 'indefinite' ? [0, 0] : [])),
  ]);
}

/** The values in `der`, with their nested values. Bytes that are not DER become the content of one value. */
function decoded(der: Buffer): Tlv[] {
  const values: Tlv[] = [];
  for (let at = 0; at + 2 <= der.length; ) {
    const [tag = 0, first = 0] = der.subarray(at, at + 2);
    const extra = first < 0x80 ? 0 : first - 0x80;
    const length = extra === 0 ? first : Number(`0x${der.subarray(at + 2, at + 2 + extra).toString('hex') || 0}`);
    const content = der.subarray(at + 2 + extra, at + 2 + extra + length);
    values.push({ tag, content: (tag & 0x20) === 0 ? content : decoded(content) });
    at += 2 + extra + length;
  }
  return values;
}

const primitive: fc.Arbitrary<Tlv> = fc.record({
  tag: fc.constantFrom(...TAGS),
  content: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  length: fc.constantFrom(...LENGTHS),
});
const value = fc.letrec<{ value: Tlv }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    primitive,
    fc.record({
      tag: fc.constantFrom(...TAGS),
      content: fc.array(tie('value'), { maxLength: 4 }),
      length: fc.constantFrom('right', 'right', 'right', ...LENGTHS),
    }),
  ),
})).value;

const edit = fc.record({
  kind: fc.constantFrom('replace', 'drop', 'double', 'tag', 'length', 'cut', 'swap'),
  at: fc.nat(),
  other: fc.nat(),
  value,
});
type Edit = typeof edit extends fc.Arbitrary<infer E> ? E : never;

const allIn = (values: readonly Tlv[]): Tlv[] =>
  values.flatMap((tlv) => [tlv, ...(Buffer.isBuffer(tlv.content) ? [] : allIn(tlv.content))]);

function edited(root: Tlv[], { kind, at, other, value }: Edit): Tlv[] {
  const nodes = allIn(root);
  const [node, second] = [nodes[at % nodes.length], nodes[other % nodes.length]];
  if (node === undefined || second === undefined) return root;
  const parent = nodes.find(({ content }) => Array.isArray(content) && content.includes(node))?.content;
  if (kind === 'replace') Object.assign(node, value);
  else if (kind === 'swap') Object.assign(node, decoded(encoded(second))[0]);
  else if (kind === 'tag') node.tag = TAGS[other % TAGS.length] ?? 0;
  else if (kind === 'length') node.length = LENGTHS[other % LENGTHS.length] ?? 'right';
  else if (kind === 'cut' && Buffer.isBuffer(node.content)) node.content = node.content.subarray(0, other % 8);
  else if (Array.isArray(parent))
    parent.splice(parent.indexOf(node), kind === 'drop' ? 1 : 0, ...(kind === 'drop' ? [] : [node]));
  return root;
}

export const DER_TOKENS = [
  '0\u0000',
  '\u0002\u0001\u0000',
  '\u0005\u0000',
  '\u0006\u0001\u0000',
  '\u0003\u0002\u0000\u0000',
  '\u0000',
];
/** A value in a value in a value, with lengths that are right. */
const nested = fc.constantFrom(10, 100, 300, 3_000, 20_000).map((depth) => {
  let length = 0;
  const heads: Buffer[] = [];
  for (let level = 0; level < depth; level++) {
    const head = Buffer.from([0x30, ...lengthBytes(length)]);
    heads.push(head);
    length += head.length;
  }
  return Buffer.concat(heads.reverse());
});

/** Some of `values` with some of its parts changed, or DER of no meaning. */
export const derShape = (bytesMax: number, ...values: readonly Buffer[]): Shape =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom(...values), fc.array(edit, { minLength: 1, maxLength: 4 }))
        .map(([der, edits]) => Buffer.concat(edits.reduce(edited, decoded(der)).map(encoded))),
    },
    { weight: 3, arbitrary: value.map(encoded) },
    { weight: 1, arbitrary: nested },
    { weight: 1, arbitrary: fc.constant(Buffer.from('3080'.repeat(bytesMax / 2), 'hex')) },
    { weight: 1, arbitrary: swollen(DER_TOKENS, bytesMax) },
  );

export const PEM_TOKENS = [
  ...['-----BEGIN CERTIFICATE-----\n', '-----END CERTIFICATE-----\n', '-----BEGIN X-----\r\n', '-----END X-----'],
  ...['-----BEGIN CERTIFICATE REQUEST-----\n', '-----BEGIN NEW CERTIFICATE REQUEST-----\n', '-----BEGIN ', '-----'],
  ...['-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n', '-----BEGIN PRIVATE KEY-----\n'],
  ...[
    'Proc-Type: 4,ENCRYPTED\n',
    'DEK-Info: AES-128-CBC,00\n',
    'a: b\n',
    '\n',
    '\r',
    ' ',
    '=',
    'MA==\n',
    'AAAA',
    '\u0000',
    'é',
  ],
];

const LABELS = [
  'CERTIFICATE',
  'CERTIFICATE REQUEST',
  'EC PRIVATE KEY',
  'X509 CRL',
  'TRUSTED CERTIFICATE',
  'certificate',
  '',
];
const block = (der: Shape): fc.Arbitrary<string> =>
  fc
    .record({
      label: fc.constantFrom('CERTIFICATE', ...LABELS),
      end: fc.option(fc.constantFrom(...LABELS), { freq: 8 }),
      der,
      columns: fc.constantFrom(64, 64, 64, 1, 76, 1_000_000),
      newline: fc.constantFrom('\n', '\n', '\r\n', '\r', ''),
      before: fc.constantFrom('', '', 'junk\n', '# x\n', '\ufeff', 'Proc-Type: 4,ENCRYPTED\n'),
    })
    .map(({ label, end, der, columns, newline, before }) => {
      const lines = der.toString('base64').match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
      return [`${before}-----BEGIN ${label}-----`, ...lines, `-----END ${end ?? label}-----`, ''].join(newline);
    });

export const pemShape = (bytesMax: number, ...values: readonly Buffer[]): Shape =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .array(block(derShape(300, ...values)), { maxLength: 4 })
        .map((texts) => Buffer.from(texts.join(''))),
    },
    { weight: 2, arbitrary: soup(PEM_TOKENS) },
    { weight: 1, arbitrary: swollen(PEM_TOKENS, bytesMax) },
  );
