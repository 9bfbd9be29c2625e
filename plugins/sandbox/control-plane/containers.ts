/**
 * The containers of a scratch machine that joins as a control plane. They belong to the stand-in container runtime, so
 * that they run on while the kubelet does not.
 */
import { randomBytes } from 'node:crypto';
import type { Sandbox } from '../index.ts';
import type { RunnablePod } from '../machine/pod-manifest.ts';
import type { ListedPod } from '../machine/runtime.ts';
import { startApiServer, startController } from './components.ts';
import { Container, type Running } from './container.ts';
import { startEtcd } from './etcd.ts';
import type { EtcdCluster } from './etcd-cluster.ts';

interface RunningPod extends ListedPod {
  /** What it was started with. */
  text: string;
  program: Promise<Running>;
}

export class Containers {
  readonly #root: string;
  readonly #sandbox: Sandbox;
  readonly #etcd: EtcdCluster;
  readonly #pods = new Map<string, RunningPod>();

  constructor(root: string, sandbox: Sandbox, etcd: EtcdCluster) {
    this.#root = root;
    this.#sandbox = sandbox;
    this.#etcd = etcd;
  }

  get list(): ListedPod[] {
    return [...this.#pods.values()];
  }

  /** No effect if it runs already. Rejects with what its program would log. */
  async run(pod: RunnablePod): Promise<void> {
    const { name, namespace } = pod;
    const text = JSON.stringify(pod);
    const running = this.list.find((other) => other.name === name && other.namespace === namespace);
    if (running !== undefined) {
      if (this.#pods.get(running.id)?.text === text) return;
      await this.remove(running.id);
    }
    const id = randomBytes(8).toString('hex');
    const program = this.#start(pod);
    this.#pods.set(id, { id, name, namespace, text, program });
    await program.catch((error: unknown) => {
      this.#pods.delete(id);
      throw error;
    });
  }

  async remove(id: string): Promise<void> {
    const pod = this.#pods.get(id);
    this.#pods.delete(id);
    await pod?.program.then(
      (running) => running.stop(),
      () => undefined, // it did not start
    );
  }

  async close(): Promise<void> {
    for (const { id } of this.list) await this.remove(id);
  }

  async #start({ command, mounts }: RunnablePod): Promise<Running> {
    const container = new Container(this.#root, mounts, command);
    const [program = ''] = command;
    if (program === 'etcd') return startEtcd(container, this.#etcd);
    if (program === 'kube-apiserver') return startApiServer(container, this.#sandbox, this.#etcd);
    if (program === 'kube-controller-manager' || program === 'kube-scheduler')
      return startController(container, program, this.#sandbox);
    throw new Error(`exec: "${program}": executable file not found in $PATH`);
  }
}
