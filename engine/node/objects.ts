/** The API objects that joining uses. */
import type { KubeObject, ObjectRef } from '../sdk/ports.ts';

export const nodeRef = (name: string): ObjectRef => ({ apiVersion: 'v1', resource: 'nodes', name });
export const configMapRef = (namespace: string, name: string): ObjectRef => ({
  apiVersion: 'v1',
  resource: 'configmaps',
  namespace,
  name,
});
/** `version` of the API group: `v1`, or `v1beta1` for clusters up to 1.18. */
export const csrRef = (name: string, version: 'v1' | 'v1beta1' = 'v1'): ObjectRef => ({
  apiVersion: `certificates.k8s.io/${version}`,
  resource: 'certificatesigningrequests',
  name,
});

export interface Condition {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
  lastHeartbeatTime?: string;
}

export interface NodeObject extends KubeObject {
  spec?: { configSource?: object; taints?: unknown };
  status?: {
    nodeInfo?: { kubeletVersion?: string };
    conditions?: Condition[];
    /** Quantities by the name of the resource: `ephemeral-storage`. */
    allocatable?: Record<string, string>;
    /** The kubelet's report on `spec.configSource`. */
    config?: { assigned?: object; error?: string };
  };
}

export interface ConfigMapObject extends KubeObject {
  data?: Record<string, string>;
}

export interface CsrObject extends KubeObject {
  /** v1beta1 has `signerName` since 1.18; if it is absent, the server derives it. */
  spec: { request: string; signerName?: string; usages: readonly string[]; username?: string };
  status?: { conditions?: Condition[]; certificate?: string };
}

/** The conditions of an object, reduced to their string fields: the server may send anything. */
export function conditionsOf(object: { status?: { conditions?: unknown } } | undefined): Condition[] {
  const conditions: unknown = object?.status?.conditions;
  return (Array.isArray(conditions) ? conditions : []).map(
    (entry: object | null) =>
      Object.fromEntries(Object.entries(entry ?? {}).filter(([, value]) => typeof value === 'string')) as Condition,
  );
}

export const isReady = (node: NodeObject | undefined): boolean =>
  conditionsOf(node).some(({ type, status }) => type === 'Ready' && status === 'True');
