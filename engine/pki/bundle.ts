/** PEM files that Joinery writes: encoded from the parsed content, without any other text of the original. */
import { createPrivateKey } from 'node:crypto';
import { readCertificates } from './certificate.ts';
import { pemBlocks, toPem } from './pem.ts';

/** The certificates of a text without keys and comments. Throws an Error of one line if one cannot be parsed. */
export const certificatesPem = (text: string): string =>
  readCertificates(text)
    .map(({ pem }) => pem)
    .join('');

/** The first private key of a text. Throws an Error of one line that never quotes it. */
export function privateKeyPem(text: string): string {
  const block = pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) throw new Error('it contains no private key');
  const pem = toPem(block.label, block.der);
  try {
    createPrivateKey(pem);
  } catch {
    throw new Error('its private key cannot be read'); // no cause: OpenSSL might quote the key
  }
  return pem;
}

/** Labels of the blocks that are not certificates. */
export const foreignBlocks = (text: string): string[] =>
  pemBlocks(text)
    .map(({ label }) => label)
    .filter((label) => label !== 'CERTIFICATE');
