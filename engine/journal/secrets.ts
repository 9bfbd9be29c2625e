/** Secrets leave a document before it is written down, and are put back into it when it is read. */
import { isSecret, type Secret } from '../sdk/secret.ts';

interface Placeholder {
  $secret: string;
}
/** A key of the document that looks like ours has one `$` more while its secrets are out. */
const OURS = /^\$+secret$/;

const isPlaceholder = (value: object): value is Placeholder => '$secret' in value && typeof value.$secret === 'string';

/** A copy of plain data in which every secret is `{"$secret": name}`; `keep` is handed each with a name, and says under which it is kept. */
export function withoutSecrets(value: unknown, name: string, keep: (name: string, secret: Secret) => string): unknown {
  if (isSecret(value)) return { $secret: keep(name, value) } satisfies Placeholder;
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, `${name}.${index}`, keep));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        OURS.test(key) ? `$${key}` : key,
        withoutSecrets(inner, `${name}.${encodeURIComponent(key).replaceAll('.', '%2E')}`, keep),
      ]),
    );
  return value;
}

/** The document with its secrets in it again; those that are gone are left out, and named in `missing`. */
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
        Object.entries(inner).map(([key, item]) => [OURS.test(key) ? key.slice(1) : key, put(item)]),
      );
    const secret = secretOf(inner.$secret);
    if (secret === undefined) missing.push(inner.$secret);
    return secret;
  };
  return { value: put(value), missing };
}
