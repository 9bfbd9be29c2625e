/** Removes the secrets from a document before it is written, and restores them when it is read. */
import { isSecret, type Secret } from '../sdk/secret.ts';

interface Placeholder {
  $secret: string;
}
/** A key of the document that looks like a placeholder gets one more `$` while the secrets are out. */
const RESERVED = /^\$+secret$/;

const isPlaceholder = (value: object): value is Placeholder => '$secret' in value && typeof value.$secret === 'string';

/**
 * A copy of plain data with `{"$secret": name}` in place of every secret. `keep` gets each secret with a suggested
 * name, and returns the name under which it is kept.
 */
export function withoutSecrets(value: unknown, name: string, keep: (name: string, secret: Secret) => string): unknown {
  if (isSecret(value)) return { $secret: keep(name, value) } satisfies Placeholder;
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, `${name}.${index}`, keep));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        RESERVED.test(key) ? `$${key}` : key,
        withoutSecrets(inner, `${name}.${encodeURIComponent(key).replaceAll('.', '%2E')}`, keep),
      ]),
    );
  return value;
}

/** Restores the secrets of a document. Secrets that no longer exist are undefined, and `missing` lists their names. */
export function withSecretsBack(
  value: unknown,
  secretOf: (name: string) => Secret | undefined,
): { value: unknown; missing: string[] } {
  const missing: string[] = [];
  const put = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(put);
    if (typeof inner !== 'object' || inner === null) return inner;
    if (!isPlaceholder(inner))
      return Object.fromEntries(
        Object.entries(inner).map(([key, item]) => [RESERVED.test(key) ? key.slice(1) : key, put(item)]),
      );
    const secret = secretOf(inner.$secret);
    if (secret === undefined) missing.push(inner.$secret);
    return secret;
  };
  return { value: put(value), missing };
}
