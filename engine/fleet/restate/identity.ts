/** The public key of a Restate server in the form that its SDK expects: base58, as in Bitcoin. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** `file` has an Ed25519 private key. */
export function publicIdentity(file: string): string {
  const { x = '' } = createPublicKey(readFileSync(file)).export({ format: 'jwk' });
  return `publickeyv1_${base58(Buffer.from(x, 'base64url'))}`;
}

export function base58(bytes: Buffer): string {
  let left = BigInt(`0x0${bytes.toString('hex')}`);
  let text = '';
  for (; left > 0n; left /= 58n) text = `${ALPHABET[Number(left % 58n)]}${text}`;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(zeros === -1 ? bytes.length : zeros) + text;
}
