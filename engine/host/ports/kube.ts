import type { Kube } from '../../sdk/ports.ts';
import { checkApi } from '../changes/api.ts';
import type { Attempt } from './attempt.ts';

/** This folder does not import Kubernetes code: the host provides the function that builds the port. */
export function kubePort(attempt: Attempt): Kube {
  const { host, signal, onChange, onStandIn } = attempt.options;
  const { permissions } = attempt;
  return host.access.port({
    client: {
      async send(request, until) {
        const answer = await host.send(request, until);
        if (typeof answer.dryRun === 'object') onStandIn?.();
        return answer;
      },
      waitFor: (wait) => attempt.waitUnchecked({ kind: 'object', ...wait }),
    },
    signal,
    requireAlive: (what) => permissions.requireAlive(what),
    requireApi: (verb, resource) => checkApi(verb, resource, permissions),
    allowsServer: (server) => permissions.allowsServer(server),
    readFile: (path) => attempt.read({ kind: 'file', path }),
    record: (change) => attempt.record(change),
    onChange,
  });
}
