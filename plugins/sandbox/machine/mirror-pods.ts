/** The mirror Pods of the stand-in kubelet: its static Pods, as the API shows them. */
import { type ApiCall, callApi } from './kubelet-api.ts';
import type { KubeletIdentity } from './kubelet-identity.ts';
import type { StaticPod } from './pod-manifest.ts';

const PURPOSE = 'update a mirror Pod';

export class MirrorPods {
  readonly #nodeName: string;
  readonly #signal: AbortSignal;
  readonly #pods = new Map<string, StaticPod>();
  /** Undefined until the Node is registered. */
  #identity: KubeletIdentity | undefined;

  constructor(nodeName: string, signal: AbortSignal) {
    this.#nodeName = nodeName;
    this.#signal = signal;
  }

  async registered(identity: KubeletIdentity): Promise<void> {
    this.#identity = identity;
    for (const pod of this.#pods.values()) await this.#create(pod);
  }

  async add(pod: StaticPod): Promise<void> {
    this.#pods.set(pod.name, pod);
    await this.#create(pod);
  }

  async remove({ name, namespace }: StaticPod): Promise<void> {
    this.#pods.delete(name);
    await this.#call({ method: 'DELETE', path: `${pathOf(namespace)}/${name}` });
  }

  #create({ name, namespace, labels, annotations, image, command }: StaticPod): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels, annotations: { ...annotations, 'kubernetes.io/config.mirror': 'stand-in' } },
      spec: { nodeName: this.#nodeName, hostNetwork: true, containers: [{ name: command[0], image, command }] },
      status: { phase: 'Running' },
    };
    return this.#call({ method: 'POST', path: pathOf(namespace), contentType: 'application/json', body });
  }

  async #call(call: ApiCall): Promise<void> {
    if (this.#identity !== undefined) await callApi(this.#identity, call, PURPOSE, this.#signal);
  }
}

const pathOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
