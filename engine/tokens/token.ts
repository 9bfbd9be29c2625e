/**
 * Bootstrap tokens as values. Source of forms and defaults: kubernetes, cluster-bootstrap/token/api, and kubeadm token
 * create.
 */
import { randomInt } from 'node:crypto';
import { durationMs, isDurationOrZero } from '../documents/durations.ts';
import { fields } from '../node/fields.ts';
import { fail } from '../sdk/errors.ts';
import { Secret } from '../sdk/secret.ts';

/** `signing`: it signs cluster-info, for discovery. `authentication`: it may log in, for the TLS bootstrap. */
export const USAGES = ['authentication', 'signing'] as const;
export type Usage = (typeof USAGES)[number];

export const DEFAULT_GROUP = 'system:bootstrappers:kubeadm:default-node-token';
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const TOKEN = new RegExp(fields.bootstrapToken.pattern);
const TOKEN_ID = /^[a-z0-9]{6}$/;
/** The longest duration that Go knows. */
const TTL_MS_MAX = 2_540_400 * 3_600_000;
const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';

export interface BootstrapToken {
  /** Public: it names the Secret and the signature. */
  id: string;
  secret: Secret;
  /** Undefined if the token never expires. */
  expiresAt: Date | undefined;
  usages: Usage[];
  /** Groups of its user, in addition to system:bootstrappers. */
  groups: string[];
  description: string;
}

/** The requested token, with every value as the user typed it. */
export interface TokenWish {
  token: string;
  /** A Go duration; 0 if the token never expires. */
  ttl: string;
  usages: readonly string[];
  /** Default: kubeadm's group, if the token allows authentication. */
  groups: readonly string[] | undefined;
  description: string;
}

export function randomToken(): string {
  const word = (length: number) => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${word(6)}.${word(16)}`;
}

export const isToken = (text: string): boolean => TOKEN.test(text);

/** `abcdef.0123456789abcdef`: the only text that contains the secret. */
export const tokenText = ({ id, secret }: BootstrapToken): string => `${id}.${secret.reveal()}`;

/** The ID in a token or in the text of an ID; undefined if it is neither. */
export function tokenId(text: string): string | undefined {
  const id = isToken(text) ? text.slice(0, 6) : text;
  return TOKEN_ID.test(id) ? id : undefined;
}

/** E_INPUT with every problem at once. Messages do not repeat the token, because it may be almost a secret. */
export function tokenAsWished({ token, ttl, usages, groups, description }: TokenWish, now: Date): BootstrapToken {
  const problems: string[] = [];
  const ttlMs = durationMs(ttl);
  const known = USAGES.filter((usage) => usages.includes(usage));
  const isLogin = known.includes('authentication');
  if (!isToken(token)) problems.push(`the token must ${fields.bootstrapToken['x-form']}`);
  if (!isDurationOrZero(ttl) || ttlMs > TTL_MS_MAX)
    problems.push(`--ttl ${ttl}: must be a duration such as 24h or 1h30m, or 0 (the token never expires)`);
  if (usages.length === 0) problems.push(`--usages: at least one of ${USAGES.join(', ')} is needed`);
  for (const usage of usages)
    if (!known.some((one) => one === usage)) problems.push(`--usages ${usage}: must be one of ${USAGES.join(', ')}`);
  for (const group of groups ?? [])
    if (!GROUP.test(group))
      problems.push(
        `--groups ${group}: must be system:bootstrappers: and then lower-case letters, digits, - and :, ending in ` +
          'a letter or digit',
      );
  if (!isLogin && (groups ?? []).length > 0)
    problems.push('--groups: only a token with the usage authentication has groups');
  if (problems.length > 0) throw fail('E_INPUT', { problems });
  const [id = '', secret = ''] = token.split('.');
  return {
    id,
    secret: new Secret(secret),
    expiresAt: ttlMs === 0 ? undefined : new Date(now.getTime() + ttlMs),
    usages: known,
    groups: [...(groups ?? (isLogin ? [DEFAULT_GROUP] : []))],
    description,
  };
}
