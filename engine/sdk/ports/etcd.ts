/** The port to the etcd of a cluster: its members, and what changes them. */
import type { Secret } from '../secret.ts';

/**
 * How an etcd is reached, and with which client certificate.
 * @experimental
 */
export interface EtcdAccess {
  /** `https://host:port` of members. The first that answers is used. */
  endpoints: readonly string[];
  /** PEM bundle. */
  ca: string;
  certificate: { pem: string; key: Secret };
}

/**
 * A member of an etcd.
 * @experimental
 */
export interface EtcdMember {
  /** In hexadecimal digits, as etcdctl prints it. */
  id: string;
  /** Empty until the member has started. */
  name: string;
  peerUrls: readonly string[];
  /** Empty until the member has started. */
  clientUrls: readonly string[];
  /** A learner receives the data, and does not vote. */
  isLearner: boolean;
}

/**
 * What one member says about itself.
 * @experimental
 */
export interface EtcdStatus {
  version: string;
  /** Alarms, such as that its disk is full. A healthy member has none. */
  errors: readonly string[];
}

/**
 * The etcd of a cluster. Members are named by a peer URL. Errors: E_ETCD_UNREACHABLE, E_ETCD_REFUSED.
 * @experimental
 */
export interface Etcd {
  members(access: EtcdAccess): Promise<EtcdMember[]>;
  status(access: EtcdAccess, endpoint: string): Promise<EtcdStatus>;
  /** No change if a member has this peer URL. */
  add(access: EtcdAccess, peerUrl: string, role: 'learner' | 'voter'): Promise<void>;
  /**
   * Makes a learner a voter as soon as it is in sync with the leader. No change if it is a voter already.
   */
  promote(access: EtcdAccess, peerUrl: string): Promise<void>;
  /** No change if no member has this peer URL. */
  remove(access: EtcdAccess, peerUrl: string): Promise<void>;
  /** Waits until the member has started. */
  waitUntilStarted(access: EtcdAccess, peerUrl: string): Promise<void>;
  /** Waits until the member at this endpoint answers without errors. */
  waitUntilHealthy(access: EtcdAccess, endpoint: string): Promise<void>;
}
