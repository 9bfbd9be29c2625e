/** A bootstrap token as the Secret that holds it. Source: kubernetes, cluster-bootstrap/token/api. */
import type { KubeObject, ObjectRef } from '../sdk/ports.ts';
import { Secret } from '../sdk/secret.ts';
import { type BootstrapToken, isToken, USAGES } from './token.ts';

export const SECRET_TYPE = 'bootstrap.kubernetes.io/token';
const NAMESPACE = 'kube-system';
const NAME_PREFIX = 'bootstrap-token-';
/** RFC 3339, a subset of what Date parses. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export interface SecretObject extends KubeObject {
  type?: string;
  /** base64 values */
  data?: Record<string, string>;
}

export const secretRef = (id: string): ObjectRef => ({
  apiVersion: 'v1',
  resource: 'secrets',
  namespace: NAMESPACE,
  name: `${NAME_PREFIX}${id}`,
});

/** Whole seconds, in UTC, as Kubernetes writes times. */
export const timestamp = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');

export function secretOf({ id, secret, expiresAt, usages, groups, description }: BootstrapToken): SecretObject {
  const data: Record<string, string> = { 'token-id': id, 'token-secret': secret.reveal() };
  if (expiresAt !== undefined) data.expiration = timestamp(expiresAt);
  for (const usage of usages) data[`usage-bootstrap-${usage}`] = 'true';
  if (groups.length > 0) data['auth-extra-groups'] = groups.join(',');
  if (description !== '') data.description = description;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretRef(id).name, namespace: NAMESPACE },
    type: SECRET_TYPE,
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  };
}

/**
 * The token in a Secret. If the Secret holds no token, it throws an Error with the reason; the controllers of the
 * cluster ignore such a Secret.
 */
export function tokenOf({ metadata, data = {} }: SecretObject): BootstrapToken {
  const field = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const [id, secret, expiration] = [field('token-id'), field('token-secret'), field('expiration')];
  if (metadata.name !== secretRef(id).name) throw new Error(`its token-id is not the end of its name`);
  if (!isToken(`${id}.${secret}`)) throw new Error('its token-id and token-secret do not form a token');
  const expiresAt = expiration === '' ? undefined : new Date(expiration);
  if (expiresAt !== undefined && (!TIME.test(expiration) || Number.isNaN(expiresAt.getTime())))
    throw new Error('its expiration is not an RFC 3339 time');
  return {
    id,
    secret: new Secret(secret),
    expiresAt,
    usages: USAGES.filter((usage) => field(`usage-bootstrap-${usage}`) === 'true'),
    groups: field('auth-extra-groups').split(',').filter(Boolean),
    description: field('description'),
  };
}
