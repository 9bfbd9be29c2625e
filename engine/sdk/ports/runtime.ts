/** The port to the container runtime. */

/**
 * A Pod sandbox of the container runtime, with the name and namespace of its Pod.
 * @stable
 */
export interface PodSandbox {
  id: string;
  name: string;
  namespace: string;
}

/**
 * What `runtime.status` returns.
 * @stable
 */
export interface RuntimeStatus {
  name: string;
  version: string;
  /** Version of the CRI. */
  apiVersion: 'v1' | 'v1alpha2';
  /** Whether the runtime can run containers. Its network may come later, with a CNI plugin. */
  ready: boolean;
  /** The reason if it is not ready, in the runtime's own words. */
  message: string;
}

/**
 * How the kubelet and the container runtime manage cgroups.
 * @stable
 */
export type CgroupDriver = 'systemd' | 'cgroupfs';

/**
 * The container runtime, through the CRI. `socket` is a value of `--cri-socket`.
 * Errors: E_CRI_UNREACHABLE, E_CRI_REFUSED, E_CRI_ABSENT.
 * @stable
 */
export interface Runtime {
  status(socket: string): Promise<RuntimeStatus>;
  /** Undefined if the runtime does not report it. */
  cgroupDriver(socket: string): Promise<CgroupDriver | undefined>;
  /** Whether the runtime has the call `RuntimeConfig`, which came with Kubernetes 1.28. */
  hasRuntimeConfig(socket: string): Promise<boolean>;
  podSandboxes(socket: string): Promise<PodSandbox[]>;
  /** Stops and removes the sandbox, with its containers. */
  removePodSandbox(socket: string, sandbox: PodSandbox): Promise<void>;
}
