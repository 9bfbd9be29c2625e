/** The port to the cluster: API objects, as one identity sees them. */
import type { Secret } from '../secret.ts';

/**
 * An API server, and the certificates that it is verified with.
 * @stable
 */
export interface Cluster {
  /** `https://host:port` */
  server: string;
  /** PEM bundle. */
  ca: string;
}

/**
 * The client of a cluster: a bearer token, or a client certificate with its key. Without either, requests are
 * anonymous.
 * @stable
 */
export interface Identity extends Cluster {
  token?: Secret;
  certificate?: { pem: string; key: Secret };
}

/**
 * The name of one API object: `{ apiVersion: 'v1', resource: 'nodes', name: 'w1' }`.
 * @stable
 */
export interface ObjectRef {
  apiVersion: string;
  /** The plural, as in URLs and RBAC rules. */
  resource: string;
  name: string;
  namespace?: string;
}

/**
 * The fields that every API object has.
 * @stable
 */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

/**
 * The public ConfigMap `kube-public/cluster-info`.
 * @stable
 */
export interface ClusterInfo {
  /** `kubeconfig`, and one `jws-kubeconfig-<token ID>` for each token. */
  data: Record<string, string>;
  /** The server's clock minus this machine's, from the Date header, which has whole seconds. */
  clockSkewMs: number | undefined;
}

/**
 * What the certificate of a server is verified with, as PEM texts.
 * @stable
 */
export interface Trust {
  ca: string;
  /** Certificates that are not trusted, but may lead from the server's certificate to a trusted one. */
  intermediates?: string;
}

/**
 * The port to clusters.
 * @stable
 */
export interface Kube {
  /**
   * Reads `kube-public/cluster-info` anonymously. `unverified` is the only request that accepts any certificate, so
   * the caller must
   * verify the content. Errors: E_CLUSTER_INFO_MISSING, E_API_UNREACHABLE, E_API_CERTIFICATE_….
   */
  clusterInfo(server: string, trust: 'unverified' | Trust): Promise<ClusterInfo>;
  /** The API of a cluster for one identity. It sends nothing by itself. */
  as(identity: Identity): KubeApi;
}

/**
 * The API of a cluster for one identity.
 * Errors of every method: E_API_UNREACHABLE, E_API_CERTIFICATE_…, E_API_UNAUTHORIZED, E_API_FORBIDDEN, E_API_ANSWER.
 * @stable
 */
export interface KubeApi {
  /** The object, or undefined if it does not exist. */
  get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined>;
  /** The objects of a resource in one namespace that have all these labels. */
  list<T extends KubeObject>(of: Omit<ObjectRef, 'name'>, labels: Readonly<Record<string, string>>): Promise<T[]>;
  /** The object as the server stored it, or undefined if the name is already in use. */
  create<T extends KubeObject>(ref: ObjectRef, object: T): Promise<T | undefined>;
  /** Applies a strategic merge patch to the object, or to its status. */
  patch<T extends KubeObject>(ref: ObjectRef, patch: object, subresource?: 'status'): Promise<T>;
  /**
   * Watches the object until `done` returns true. `done` gets undefined if the object does not exist, and may throw an
   * error to give up.
   * `from` is the last known state of the object: the watch continues from there, so it misses no event and repeats no
   * request. `about` are facts for the events of the wait. They must not be secret.
   */
  waitFor<T extends KubeObject>(
    ref: ObjectRef,
    done: (object: T | undefined) => boolean,
    from?: T,
    about?: Readonly<Record<string, string>>,
  ): Promise<T>;
  /** Whether this identity is allowed to do it (SelfSubjectAccessReview). */
  can(verb: string, apiGroup: string, resource: string, subresource?: string): Promise<boolean>;
  /** The release of the server: `v1.20.2`. */
  serverVersion(): Promise<string>;
  /** The server's clock minus this machine's, from the last response. */
  clockSkewMs(): number | undefined;
}
