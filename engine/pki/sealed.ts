/** Encryption with a shared key: AES-256-GCM, as nonce, ciphertext and tag. Source: kubeadm, util/crypto. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** A new key as 64 hexadecimal digits. */
export const generateSealKey = (): string => randomBytes(32).toString('hex');

/** Encrypts with a key of 64 hexadecimal digits. */
export function seal(key: string, content: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, Buffer.from(key, 'hex'), nonce);
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** Throws an Error with a message of one line if the key is wrong, or if the content was changed. */
export function openSealed(key: string, sealed: Uint8Array): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error(`it has only ${sealed.length} bytes`);
  const decipher = createDecipheriv(CIPHER, Buffer.from(key, 'hex'), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new Error('it was encrypted with another key, or changed'); // no cause: OpenSSL's sentence says less
  }
}
