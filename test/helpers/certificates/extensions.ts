/** The extensions that the certificates of tests have. */
import { bits, booleanTrue, integer, type Node, octets, oid, sequence, tagged } from '../../../engine/pki/der.ts';
import { bytesOfAddress } from '../../../engine/pki/general-names.ts';
import { extension } from './issue.ts';

export const ca = (pathLength?: number): Node =>
  extension(
    '2.5.29.19',
    sequence(booleanTrue(), ...(pathLength === undefined ? [] : [integer(Uint8Array.of(pathLength))])),
    'critical',
  );
export const notCa = (): Node => extension('2.5.29.19', sequence(), 'critical');

const BITS = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04 };
export const keyUsage = (...uses: (keyof typeof BITS)[]): Node =>
  extension('2.5.29.15', bits(Uint8Array.of(uses.reduce((sum, use) => sum | BITS[use], 0)), 0), 'critical');

export const USAGE = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
  unknown: '1.3.6.1.4.1.99999.1',
};
export const usages = (...ids: (keyof typeof USAGE)[]): Node =>
  extension('2.5.29.37', sequence(...ids.map((id) => oid(USAGE[id]))));

/** `DNS:a`, `IP:1.2.3.4`, `email:a@b`, `URI:https://a`; a name constraint's `IP` is a range as hexadecimal digits. */
export function generalName(text: string): Node {
  const at = text.indexOf(':');
  const [kind, value] = [text.slice(0, at), text.slice(at + 1)];
  if (kind === 'IP') return tagged(7, bytesOfAddress(value) ?? Buffer.from(value, 'hex'));
  if (kind === 'dir') return tagged(4, [sequence()]);
  return tagged({ email: 1, DNS: 2, URI: 6, other: 8 }[kind] ?? 2, Buffer.from(value));
}

export const altNames = (...names: string[]): Node => extension('2.5.29.17', sequence(...names.map(generalName)));
export const constraints = (
  { permitted = [], excluded = [] }: { permitted?: string[]; excluded?: string[] },
  critical: 'critical' | '' = 'critical',
): Node => {
  const subtrees = (tag: number, names: string[]) =>
    names.length === 0
      ? []
      : [
          tagged(
            tag,
            names.map((name) => sequence(generalName(name))),
          ),
        ];
  return extension('2.5.29.30', sequence(...subtrees(0, permitted), ...subtrees(1, excluded)), critical);
};
export const subjectKeyId = (text: string, critical: 'critical' | '' = ''): Node =>
  extension('2.5.29.14', octets(Buffer.from(text)), critical);
export const authorityKeyId = (text: string, critical: 'critical' | '' = ''): Node =>
  extension('2.5.29.35', sequence(tagged(0, Buffer.from(text))), critical);
