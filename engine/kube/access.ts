/** A host's access to API servers, as Kubernetes defines it. */
import type { ApiAccess } from '../sdk/api.ts';
import { dryRunClient } from './dry-run.ts';
import { kubePort } from './port.ts';
import { Transport } from './request.ts';
import { watchObject } from './watch.ts';

export const kubeAccess: ApiAccess = {
  connect(now) {
    const transport = new Transport(now);
    return {
      send: (request, signal) => transport.send(request, signal),
      waitFor: (wait, signal) => watchObject(transport, wait, signal),
      close: () => transport.close(),
    };
  },
  dryRun: dryRunClient,
  port: kubePort,
};
