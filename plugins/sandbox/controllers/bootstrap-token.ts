/** Bootstrap tokens as Secrets in kube-system. Source: kubernetes, cluster-bootstrap/token/api. */
import { randomInt, timingSafeEqual } from 'node:crypto';
import { type Draft, type Secret, timestamp } from '../objects.ts';

const TYPE = 'bootstrap.kubernetes.io/token';
const PATTERN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP_PATTERN = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export const BOOTSTRAPPERS = 'system:bootstrappers:kubeadm:default-node-token';

export interface BootstrapToken {
  id: string;
  secret: string;
}

export function parseToken(text: string): BootstrapToken | undefined {
  const [, id, secret] = PATTERN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export function randomToken(): string {
  const word = (length: number) => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${word(6)}.${word(16)}`;
}

/** The Secret that `kubeadm token create` would create. */
export function tokenSecret({ id, secret }: BootstrapToken, expiration: Date): Draft {
  const fields = {
    'token-id': id,
    'token-secret': secret,
    expiration: timestamp(expiration),
    'usage-bootstrap-signing': 'true',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': BOOTSTRAPPERS,
    description: 'The initial token of the sandbox',
  };
  const data = Object.fromEntries(
    Object.entries(fields).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  return { metadata: { name: secretName(id), namespace: 'kube-system' }, type: TYPE, data };
}

export const secretName = (id: string): string => `bootstrap-token-${id}`;

export const isTokenSecret = ({ type, metadata }: Secret): boolean =>
  type === TYPE && metadata.namespace === 'kube-system';

/** A data value as text; empty if it is missing. */
export const field = (secret: Secret, key: string): string =>
  Buffer.from(secret.data?.[key] ?? '', 'base64').toString();

/** Expiry of the token; undefined if it never expires. An invalid time counts as expired. */
export function expiration(secret: Secret): Date | undefined {
  const text = field(secret, 'expiration');
  if (text === '') return undefined;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? new Date(0) : at;
}

export function isExpired(secret: Secret, now: Date): boolean {
  const end = expiration(secret);
  return end !== undefined && now >= end;
}

/** The token in a Secret, if it allows this usage and has not expired. */
export function usableToken(
  secret: Secret,
  usage: 'signing' | 'authentication',
  now: Date,
): BootstrapToken | undefined {
  const token = parseToken(`${field(secret, 'token-id')}.${field(secret, 'token-secret')}`);
  if (token === undefined || !isTokenSecret(secret) || secret.metadata.name !== secretName(token.id)) return undefined;
  return field(secret, `usage-bootstrap-${usage}`) === 'true' && !isExpired(secret, now) ? token : undefined;
}

/** The groups that a token adds to its user, or undefined if one of them is not allowed. */
export function extraGroups(secret: Secret): string[] | undefined {
  const groups = field(secret, 'auth-extra-groups').split(',').filter(Boolean);
  return groups.every((group) => GROUP_PATTERN.test(group)) ? groups : undefined;
}

export const sameSecret = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
