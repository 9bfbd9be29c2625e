import type { Kube } from '../../sdk/ports.ts';
import { checkApi } from '../changes/api.ts';
import type { GuardedHost } from './guarded-host.ts';

/** This folder does not import Kubernetes code: the host provides the function that builds the port. */
export function kubePort(guarded: GuardedHost): Kube {
  const { host, signal, onChange, onStandIn } = guarded.options;
  const { permissions } = guarded;
  return host.access.port({
    client: {
      async send(request, until) {
        const answer = await host.send(request, until);
        if (typeof answer.dryRun === 'object') onStandIn?.();
        return answer;
      },
      waitFor: (wait) => guarded.waitUnchecked({ kind: 'object', ...wait }),
    },
    signal,
    requireAlive: (what) => permissions.requireAlive(what),
    requireApi: (verb, resource) => checkApi(verb, resource, permissions),
    allowsServer: (server) => permissions.allowsServer(server),
    readFile: (path) => guarded.read({ kind: 'file', path }),
    record: (change) => guarded.record(change),
    onChange(change) {
      onChange(change);
      if (change.kind === 'api' && change.checked !== 'sent') onStandIn?.(); // the server did not keep the object
    },
  });
}
