/** Deletes bootstrap tokens when they expire, like tokencleaner of kube-controller-manager. */
import type { Secret } from '../objects.ts';
import type { Store } from '../store.ts';
import { expiration, isExpired, isTokenSecret } from './bootstrap-token.ts';
import type { Controller } from './controllers.ts';

/** Limit for one wait, because `setTimeout` accepts at most 2^31 ms. */
const WAIT_MS_MAX = 86_400_000;

export interface TokenCleaner extends Controller {
  stop(): void;
}

export function tokenCleaner(store: Store, now: () => Date): TokenCleaner {
  let timer: NodeJS.Timeout | undefined;

  function clean(): void {
    clearTimeout(timer);
    const tokens = store.list<Secret>('secrets', 'kube-system').filter(isTokenSecret);
    for (const { metadata } of tokens.filter((token) => isExpired(token, now())))
      store.delete('secrets', metadata.name, metadata.namespace);
    const ends = tokens.flatMap((token) => expiration(token)?.getTime() ?? []).filter((end) => end > now().getTime());
    if (ends.length === 0) return;
    timer = setTimeout(clean, Math.min(Math.min(...ends) - now().getTime(), WAIT_MS_MAX));
    timer.unref();
  }

  return { resources: ['secrets'], reconcile: clean, stop: () => clearTimeout(timer) };
}
