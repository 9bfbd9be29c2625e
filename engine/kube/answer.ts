/** Answers of API servers: the object, or the error for a refusal. */
import type { ApiAnswer } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import type { KubeObject } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';

export const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isObject = (value: unknown): value is KubeObject => isMapping(value) && isMapping(value.metadata);

/** `body`, which must be an object with metadata. E_API_ANSWER. */
export function kubeObject<T extends KubeObject>(body: unknown, server: string): T {
  if (!isObject(body)) throw fail('E_API_ANSWER', { server, what: 'not a Kubernetes object' });
  return body as unknown as T;
}

/** Throws unless the request succeeded: E_API_UNAUTHORIZED, E_API_FORBIDDEN, E_API_UNAVAILABLE or E_API_REFUSED. */
export function requireOk({ status, body, retryAfterMs }: ApiAnswer, server: string, what: string): void {
  if (status >= 200 && status < 300) return;
  const { message: text } = (body ?? {}) as { message?: unknown };
  const message = clean(typeof text === 'string' ? text : '');
  if (status === 401) throw fail('E_API_UNAUTHORIZED', { server, what });
  if (status === 403) throw fail('E_API_FORBIDDEN', { server, what, message });
  if (status === 429 || status >= 500) throw fail('E_API_UNAVAILABLE', { server, what, status, message, retryAfterMs });
  throw fail('E_API_REFUSED', { server, what, status, message });
}
