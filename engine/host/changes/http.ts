/** An HTTP call that changes something elsewhere. Only an `undo` of the phase itself can undo it. */
import { originOf, urlWithoutQuery } from '../../net/address.ts';
import { allowsAddress } from '../../sdk/bounds.ts';
import { fail } from '../../sdk/errors.ts';
import type { HttpAnswer, HttpCall } from '../../sdk/ports.ts';
import type { Permissions } from '../ports/permissions.ts';
import type { ChangeKind } from './kind.ts';

export interface HttpChange {
  kind: 'http';
  call: HttpCall;
  irreversible: string | undefined;
  /** Receives the answer. */
  answered: (answer: HttpAnswer) => void;
}

export interface HttpDescription {
  kind: 'http';
  method: string;
  url: string;
  irreversible: string | undefined;
}

/**
 * Throws unless the phase declared the address. Proxies log addresses and plans show them, so an address must not
 * contain a secret.
 */
export function checkCall({ method, url }: HttpCall, permissions: Permissions): void {
  const isWithin = permissions.isWithin((bounds) => allowsAddress(bounds, url));
  permissions.require(permissions.isUrlDeclared(url) && isWithin, `${method} ${urlWithoutQuery(url)}`);
  if (permissions.hasSecret(url)) throw fail('E_SECRET_IN_ADDRESS', { origin: originOf(url) });
}

export const http: ChangeKind<HttpChange, HttpDescription, never> = {
  subject: ({ method, url }) => `${method} ${url}`,
  text: ({ method, url, irreversible }) =>
    `${method} ${url}${irreversible === undefined ? '' : ` (irreversible: ${irreversible})`}`,
  check: ({ call }, permissions) => checkCall(call, permissions),
  describe: ({ kind, call, irreversible }) => ({
    kind,
    method: call.method,
    url: urlWithoutQuery(call.url),
    irreversible,
  }),
  async apply({ call, answered }, _, signal) {
    const { answerOf } = await import('../../net/calls.ts'); // loading undici takes a while
    answered(await answerOf(call, signal));
  },
  overlay: ({ call, answered }, overlay) => answered(overlay.answer(call)),
  whyItStays: ({ irreversible }) => irreversible ?? 'it cannot be undone',
};
