import { isSafe } from '../../net/address.ts';
import { allowsAddress } from '../../sdk/bounds.ts';
import type { HttpAnswer, Web } from '../../sdk/ports.ts';
import { checkCall } from '../changes/http.ts';
import type { GuardedHost } from './guarded-host.ts';

export const webPort = (guarded: GuardedHost): Web => ({
  async get(url) {
    const { permissions } = guarded;
    const allows = (address: string) => permissions.isWithin((bounds) => allowsAddress(bounds, address));
    permissions.require(permissions.declares('web') && allows(url), `read ${url}`);
    return guarded.read({ kind: 'download', url, allows });
  },
  async call(call, irreversible) {
    checkCall(call, guarded.permissions);
    if (isSafe(call)) return guarded.read({ kind: 'http', call });
    let answer: HttpAnswer = { status: 0, body: '' };
    const answered = (received: HttpAnswer): void => {
      answer = received;
    };
    await guarded.change({ kind: 'http', call, irreversible, answered });
    return answer;
  },
  async waitFor(call) {
    checkCall(call, guarded.permissions);
    await guarded.waitUnchecked({ kind: 'answer', call });
  },
  async waitForPort(host, port) {
    guarded.permissions.requirePort(host, port);
    await guarded.wait(`${host}:${port}`, { kind: 'port', host, port });
  },
  proxyOf: (url) => guarded.read({ kind: 'proxy', url }),
  async proxyVariables() {
    const { permissions } = guarded;
    // They may contain a password, and no plugin needs them.
    permissions.require(permissions.bounds === undefined, 'read the variables that name a proxy');
    return guarded.read({ kind: 'proxy-variables' });
  },
  roots: () => guarded.read({ kind: 'roots' }),
});
