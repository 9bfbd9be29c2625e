/** PEM blocks (RFC 7468) as bytes, and back. */
import pem from 'node-forge/lib/pem.js';

export interface PemBlock {
  label: string;
  der: Buffer;
}

/**
 * Every block of `text`, in order. Text between blocks is skipped, as OpenSSL and Go do. Throws an Error of one line
 * when a block is damaged.
 */
export function pemBlocks(text: string): PemBlock[] {
  if (!text.includes('-----BEGIN ')) return [];
  let blocks: ReturnType<typeof pem.decode>;
  try {
    blocks = pem.decode(text);
  } catch {
    throw new Error('a PEM block has no END line, or text that is not base64'); // no cause: it might quote a key
  }
  return blocks.map((block) => ({ label: block.type, der: Buffer.from(block.body, 'binary') }));
}

export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
