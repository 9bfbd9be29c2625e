import { isSafe } from '../../net/address.ts';
import { allowsAddress } from '../../sdk/bounds.ts';
import type { HttpAnswer, Web } from '../../sdk/ports.ts';
import { checkCall } from '../changes/http.ts';
import type { Attempt } from './attempt.ts';

export const webPort = (attempt: Attempt): Web => ({
  async get(url) {
    const { permissions } = attempt;
    const allows = (address: string) => permissions.isWithin((bounds) => allowsAddress(bounds, address));
    permissions.require(permissions.declares('web') && allows(url), `read ${url}`);
    return attempt.read({ kind: 'download', url, allows });
  },
  async call(call, irreversible) {
    checkCall(call, attempt.permissions);
    if (isSafe(call)) return attempt.read({ kind: 'http', call });
    let answer: HttpAnswer = { status: 0, body: '' };
    const answered = (received: HttpAnswer): void => {
      answer = received;
    };
    await attempt.change({ kind: 'http', call, irreversible, answered });
    return answer;
  },
  async waitFor(call) {
    checkCall(call, attempt.permissions);
    await attempt.waitUnchecked({ kind: 'answer', call });
  },
  async waitForPort(host, port) {
    attempt.permissions.requirePort(host, port);
    await attempt.wait(`${host}:${port}`, { kind: 'port', host, port });
  },
  proxyOf: (url) => attempt.read({ kind: 'proxy', url }),
  roots: () => attempt.read({ kind: 'roots' }),
});
