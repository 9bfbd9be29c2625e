import { bits, encode, integer, nothing, oid, sequence } from '../../../engine/pki/der.ts';

/** An RSA key that is too large to generate in a test: its modulus is not a product of two primes. */
export function hugeRsaKey(size: number): Buffer {
  const modulus = Buffer.alloc(size / 8, 0x5b);
  modulus[0] = 0x80;
  const key = sequence(integer(Buffer.concat([Buffer.of(0), modulus])), integer(Uint8Array.of(1, 0, 1)));
  return encode(sequence(sequence(oid('1.2.840.113549.1.1.1'), nothing()), bits(encode(key))));
}
