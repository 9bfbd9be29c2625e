/** The static Pods of the stand-in kubelet: it checks their manifests and hands them to the container runtime. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeletIdentity } from './kubelet-identity.ts';
import { machinePath } from './machine-path.ts';
import { MirrorPods } from './mirror-pods.ts';
import { type HostPath, readStaticPod, type StaticPod } from './pod-manifest.ts';
import { callRuntime } from './runtime-call.ts';

const LOOK_MS = 100;
/** As long as its Node reports none, a kubelet rejects Pods that request it, and does not try again. */
const STORAGE = 'ephemeral-storage';

export interface StaticPodOptions {
  root: string;
  /** The directory of the manifests, on the machine. */
  path: string;
  nodeName: string;
  log: (line: string) => void;
}

/** What the kubelet knows of a file. */
interface Manifest {
  text: string;
  /** Undefined if it is refused. */
  pod: StaticPod | undefined;
  isRunning: boolean;
  /** Why the Pod does not run, so that the log says it once. */
  problem?: string;
}

export class StaticPods {
  readonly #options: StaticPodOptions;
  readonly #signal: AbortSignal;
  readonly #manifests = new Map<string, Manifest>();
  readonly #mirrors: MirrorPods;
  #isRegistered = false;

  constructor(options: StaticPodOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#mirrors = new MirrorPods(options.nodeName, signal);
  }

  /** The Node is registered, and reports what it has. */
  async registered(identity: KubeletIdentity): Promise<void> {
    this.#isRegistered = true;
    await this.#mirrors.registered(identity);
  }

  /** Follows the directory until the signal aborts. */
  async follow(): Promise<void> {
    while (!this.#signal.aborted) {
      await this.#synchronize().catch((error: Error) => this.#options.log(`static Pods: ${error.message}`));
      await sleep(LOOK_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  async #synchronize(): Promise<void> {
    const { root, path } = this.#options;
    const texts = await manifestsIn(await machinePath(root, path));
    for (const [name, { text, pod, isRunning }] of this.#manifests) {
      if (texts.get(name) === text) continue;
      this.#manifests.delete(name);
      if (pod !== undefined && isRunning && !texts.has(name)) await this.#stop(pod);
    }
    for (const [name, text] of texts) {
      const manifest = this.#manifests.get(name) ?? this.#read(name, text);
      this.#manifests.set(name, manifest);
      if (manifest.pod !== undefined && !manifest.isRunning) await this.#start(manifest, manifest.pod);
    }
  }

  #read(name: string, text: string): Manifest {
    const { nodeName, path, log } = this.#options;
    try {
      const pod = readStaticPod(text, nodeName);
      if (pod.requests.includes(STORAGE) && !this.#isRegistered)
        throw new Error(`Pod was rejected: Node didn't have enough resource: ${STORAGE}`);
      return { text, pod, isRunning: false };
    } catch (error) {
      log(`Could not process manifest file ${path}/${name}: ${(error as Error).message}`);
      return { text, pod: undefined, isRunning: false };
    }
  }

  async #start(manifest: Manifest, pod: StaticPod): Promise<void> {
    const { root, log } = this.#options;
    const { name, namespace, command, mounts } = pod;
    try {
      for (const volume of pod.hostPaths) await prepare(root, volume);
      await callRuntime(root, 'run', { name, namespace, command, mounts });
      manifest.isRunning = true;
    } catch (error) {
      const { message } = error as Error;
      if (message !== manifest.problem) log(`Error syncing pod ${namespace}/${name}: ${message}`);
      manifest.problem = message;
      return;
    }
    log(`Started pod ${namespace}/${name}`);
    this.#mirror(this.#mirrors.add(pod));
  }

  async #stop(pod: StaticPod): Promise<void> {
    await callRuntime(this.#options.root, 'stop', { name: pod.name, namespace: pod.namespace });
    this.#mirror(this.#mirrors.remove(pod));
  }

  /** A Pod runs even if the API server does not answer. */
  #mirror(done: Promise<void>): void {
    done.catch((error: Error) => {
      if (!this.#signal.aborted) this.#options.log(error.message);
    });
  }
}

/** Name → text. Names with a dot in front are files that are being written. */
async function manifestsIn(directory: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((name) => !name.startsWith('.')).sort()) {
    const text = await readFile(join(directory, name), 'utf8').catch(() => undefined);
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}

/** Source: the kubelet's volume plugin for hostPath. */
async function prepare(root: string, { path, type }: HostPath): Promise<void> {
  const place = await machinePath(root, path);
  const found = await stat(place).catch(() => undefined);
  const isDirectory = type.startsWith('Directory');
  if (found !== undefined && type !== '' && found.isDirectory() !== isDirectory)
    throw new Error(`hostPath type check failed: ${path} is not a ${isDirectory ? 'directory' : 'file'}`);
  if (found !== undefined || type === '') return;
  if (!type.endsWith('OrCreate')) throw new Error(`hostPath type check failed: ${path} does not exist`);
  if (isDirectory) await mkdir(place, { recursive: true });
  else await mkdir(dirname(place), { recursive: true }).then(() => writeFile(place, ''));
}
