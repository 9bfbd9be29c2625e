/**
 * The detached JWS with which a bootstrap token signs cluster-info. Source: kubernetes, cluster-bootstrap/token/jws.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** `payload` signed by `<tokenId>.<tokenSecret>`: exactly the string that the bootstrap signer stores. */
export function signDetached(payload: string, tokenId: string, tokenSecret: string): string {
  const header = base64url(`{"alg":"HS256","kid":"${tokenId}"}`);
  const mac = createHmac('sha256', tokenSecret)
    .update(`${header}.${base64url(payload)}`)
    .digest('base64url');
  return `${header}..${mac}`;
}

/**
 * Compares the string with our own signature, like kubeadm: another order of the header is invalid even if the MAC is
 * valid.
 */
export function isSignedBy(jws: string, payload: string, tokenId: string, tokenSecret: string): boolean {
  const expected = Buffer.from(signDetached(payload, tokenId, tokenSecret));
  const actual = Buffer.from(jws);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
