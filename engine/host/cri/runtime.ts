/** The container runtime of a machine, through its CRI socket: a path, with or without `unix://`. */
import { fail, isJoinError } from '../../sdk/errors.ts';
import { socketPath } from '../../sdk/paths.ts';
import type { CgroupDriver, PodSandbox, RuntimeStatus } from '../../sdk/ports.ts';
import { clean } from '../../sdk/text.ts';
import { realDescriptors, withPlace } from '../descend.ts';
import type { Answers, ApiVersion, Method } from './messages.ts';

/** Stopping the containers of a sandbox takes longer than answering a question. */
const LIMITS_MS = { answer: 10_000, removal: 60_000 };
const SANDBOXES_MAX = 10_000;
/** How long a runtime that did not answer in time is not asked again. */
const SILENT_MS = 30_000;
/** Newest first. Runtimes from the time of Kubernetes 1.20 support only the second. */
const API_VERSIONS: readonly ApiVersion[] = ['v1', 'v1alpha2'];

export interface RuntimeVersion {
  name: string;
  version: string;
  apiVersion: ApiVersion;
}

export interface ListedSandbox extends PodSandbox {
  state: 'ready' | 'notready';
}

export interface Condition {
  ready: boolean;
  reason: string;
  message: string;
}

/**
 * Every call throws E_CRI_UNREACHABLE if no answer arrives in time, E_CRI_REFUSED if the call fails, and E_CRI_ABSENT
 * without a CRI.
 */
export class ContainerRuntime {
  readonly #root: string;
  readonly #limitsMs: typeof LIMITS_MS;
  readonly #apiVersions = new Map<string, ApiVersion>();
  /** Several steps look for the socket of the runtime. A runtime that hangs delays only the first of them. */
  readonly #silent = new Map<string, { error: unknown; until: number }>();

  /** `root` is `/` for this machine. */
  constructor(root: string, limitsMs: typeof LIMITS_MS = LIMITS_MS) {
    this.#root = root;
    this.#limitsMs = limitsMs;
  }

  /** Tries the newest version of the CRI first. Later calls use the version that answered. */
  async version(socket: string, signal: AbortSignal): Promise<RuntimeVersion> {
    const silent = this.#silent.get(socketPath(socket));
    if (silent !== undefined && performance.now() < silent.until) throw silent.error;
    const begun = performance.now();
    try {
      return await this.#versionOf(socket, signal);
    } catch (error) {
      const isSilent = performance.now() - begun > this.#limitsMs.answer * 0.9;
      if (isSilent && isJoinError(error) && error.code === 'E_CRI_UNREACHABLE')
        this.#silent.set(socketPath(socket), { error, until: performance.now() + SILENT_MS });
      throw error;
    }
  }

  async #versionOf(socket: string, signal: AbortSignal): Promise<RuntimeVersion> {
    for (const apiVersion of API_VERSIONS) {
      const answer = await this.#call(socket, apiVersion, 'Version', {}, signal);
      if (answer === undefined) continue;
      this.#apiVersions.set(socketPath(socket), apiVersion);
      return { name: clean(answer.runtimeName), version: clean(answer.runtimeVersion), apiVersion };
    }
    throw fail('E_CRI_ABSENT', { socket: socketPath(socket) });
  }

  /** All sandboxes of the runtime, at most 10,000. */
  async podSandboxes(socket: string, signal: AbortSignal): Promise<ListedSandbox[]> {
    const { items } = await this.#ask(socket, 'ListPodSandbox', {}, signal);
    if (items.length > SANDBOXES_MAX) {
      const message = `it has ${items.length}, more than ${SANDBOXES_MAX}`;
      throw fail('E_CRI_REFUSED', { socket: socketPath(socket), what: 'list its sandboxes', message });
    }
    return items.map(({ id, metadata, state }) => ({
      id: clean(id),
      name: clean(metadata?.name ?? ''),
      namespace: clean(metadata?.namespace ?? ''),
      state: state === 0 ? 'ready' : 'notready',
    }));
  }

  /** Stops the containers of a sandbox and removes it. Does nothing if the sandbox does not exist. */
  async removePodSandbox(socket: string, id: string, signal: AbortSignal): Promise<void> {
    await this.#ask(socket, 'StopPodSandbox', { podSandboxId: id }, signal);
    await this.#ask(socket, 'RemovePodSandbox', { podSandboxId: id }, signal);
  }

  /** The driver that the runtime reports, else that of containerd's default runtime; undefined if neither is known. */
  async cgroupDriver(socket: string, signal: AbortSignal): Promise<CgroupDriver | undefined> {
    const driver = (await this.#ask(socket, 'RuntimeConfig', {}, signal))?.linux?.cgroupDriver;
    if (driver !== undefined) return DRIVERS[driver];
    const { info } = await this.#ask(socket, 'Status', { verbose: true }, signal);
    return driverOfContainerd(info.find(({ key }) => key === 'config')?.value ?? '{}');
  }

  async hasRuntimeConfig(socket: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#ask(socket, 'RuntimeConfig', {}, signal)) !== undefined;
  }

  /** Whether the runtime can run containers, and whether its network is set up, each with the runtime's reason. */
  async isReady(socket: string, signal: AbortSignal): Promise<{ runtime: Condition; network: Condition }> {
    const { status } = await this.#ask(socket, 'Status', {}, signal);
    const condition = (wanted: string): Condition => {
      const {
        status: ready = false,
        reason = '',
        message = '',
      } = status?.conditions.find(({ type }) => type === wanted) ?? {};
      return { ready, reason: clean(reason), message: clean(message) };
    };
    return { runtime: condition('RuntimeReady'), network: condition('NetworkReady') };
  }

  /** Two calls: the second uses the version of the CRI that the first has found. */
  async status(socket: string, signal: AbortSignal): Promise<RuntimeStatus> {
    const version = await this.version(socket, signal);
    const { ready, reason, message } = (await this.isReady(socket, signal)).runtime;
    return { ...version, ready, message: message || reason };
  }

  async #ask<M extends Method>(
    socket: string,
    method: M,
    request: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Answers[M]> {
    const apiVersion = this.#apiVersions.get(socketPath(socket)) ?? (await this.version(socket, signal)).apiVersion;
    return this.#call(socket, apiVersion, method, request, signal);
  }

  async #call<M extends Method>(
    socket: string,
    apiVersion: ApiVersion,
    method: M,
    request: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Answers[M]> {
    const { call, SOCKET_ERRORS } = await import('./call.ts'); // gRPC takes a while to load
    const name = socketPath(socket);
    const isRemoval = method === 'StopPodSandbox' || method === 'RemovePodSandbox';
    const timeLimitMs = this.#limitsMs[isRemoval ? 'removal' : 'answer'];
    const asked = { socket: name, apiVersion, method, request, timeLimitMs };
    try {
      const tree = { root: this.#root, descriptors: realDescriptors };
      // The socket is found in an open directory, so no link can take the place of a directory.
      return await withPlace(tree, name, 'followed', ({ path }) => call({ ...asked, path }, signal));
    } catch (error) {
      const reason = SOCKET_ERRORS[(error as NodeJS.ErrnoException).code ?? ''];
      throw reason === undefined ? error : fail('E_CRI_UNREACHABLE', { socket: name, what: reason }, error);
    }
  }
}

const DRIVERS: readonly CgroupDriver[] = ['systemd', 'cgroupfs'];

interface ContainerdConfig {
  containerd?: {
    defaultRuntimeName?: string;
    runtimes?: Record<string, { options?: { SystemdCgroup?: boolean } | null } | undefined>;
  };
}

/** containerd has one setting for each of its runtimes. The kubelet's Pods use that of the default runtime. */
function driverOfContainerd(json: string): CgroupDriver | undefined {
  try {
    const { containerd } = JSON.parse(json) as ContainerdConfig;
    const systemd = containerd?.runtimes?.[containerd.defaultRuntimeName ?? '']?.options?.SystemdCgroup;
    return typeof systemd === 'boolean' ? DRIVERS[systemd ? 0 : 1] : undefined;
  } catch {
    return undefined; // not containerd's
  }
}
