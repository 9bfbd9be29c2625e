/** The faults that a test has asked for, in the order in which requests meet them. */
import type { Behaviour, Fault } from './fault.ts';
import { effects } from './fault-effects.ts';

/** Path of the ConfigMap that anonymous users read for discovery. */
export const CLUSTER_INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

export class Faults {
  #faults: (Fault & { times: number; after: number })[] = [];

  /** Affects the next matching requests, before faults that are added later. */
  add(fault: Fault): void {
    this.#faults.push({ times: 1, after: 0, ...fault });
  }

  /** Gives anonymous readers of cluster-info this ConfigMap, like a man in the middle before the CA is known. */
  clusterInfo(body: object, times = Number.POSITIVE_INFINITY): void {
    this.add({ effect: 'forged', path: CLUSTER_INFO, times, body });
  }

  clear(): void {
    this.#faults = [];
  }

  /** Returns the fault for this request, and counts the use. */
  take(request: { method: string; url: URL; anonymous: boolean }): { fault: Fault; behaviour: Behaviour } | undefined {
    const fault = this.#faults.find(
      ({ effect, method = request.method, path = '/' }) =>
        method === request.method && fits(request.url, path) && (effects[effect].matches?.(request) ?? true),
    );
    if (fault === undefined) return undefined;
    fault.after -= 1;
    if (fault.after >= 0) return undefined;
    fault.times -= 1;
    if (fault.times <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    fault.onTriggered?.();
    return { fault, behaviour: effects[fault.effect] };
  }
}

const fits = ({ pathname, search }: URL, path: string | RegExp): boolean =>
  typeof path === 'string' ? pathname.startsWith(path) : path.test(pathname + search);
