/** Signs cluster-info with every token for signing, like the bootstrapsigner of kube-controller-manager. */
import { signDetached } from '../../../engine/pki/index.ts';
import type { ConfigMap, Secret } from '../objects.ts';
import type { Store } from '../store.ts';
import { usableToken } from './bootstrap-token.ts';
import type { Controller } from './controllers.ts';

const SIGNATURE = 'jws-kubeconfig-';

export function bootstrapSigner(store: Store, now: () => Date): Controller {
  function signatures(kubeconfig: string): Record<string, string> {
    const tokens = store.list<Secret>('secrets', 'kube-system').map((secret) => usableToken(secret, 'signing', now()));
    const signed = tokens.flatMap((token) =>
      token === undefined ? [] : [[`${SIGNATURE}${token.id}`, signDetached(kubeconfig, token.id, token.secret)]],
    );
    return Object.fromEntries(signed);
  }

  return {
    resources: ['configmaps', 'secrets'],
    reconcile() {
      const info = store.get<ConfigMap>('configmaps', 'cluster-info', 'kube-public');
      const { kubeconfig } = info?.data ?? {};
      if (info === undefined || kubeconfig === undefined || kubeconfig === '') return;
      const others = Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE));
      store.update('configmaps', { ...info, data: { ...Object.fromEntries(others), ...signatures(kubeconfig) } });
    },
  };
}
