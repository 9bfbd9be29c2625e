/** References to the API objects that joining is about. */
import type { KubeObject, ObjectRef } from '../sdk/ports.ts';

export const nodeRef = (name: string): ObjectRef => ({ apiVersion: 'v1', resource: 'nodes', name });
export const configMapRef = (namespace: string, name: string): ObjectRef => ({
  apiVersion: 'v1',
  resource: 'configmaps',
  namespace,
  name,
});
/** `version` of the group: `v1`, or `v1beta1` up to 1.18, where nothing else is served. */
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
  spec?: { configSource?: object };
  status?: {
    nodeInfo?: { kubeletVersion?: string };
    conditions?: Condition[];
    /** What the kubelet makes of `spec.configSource`. */
    config?: { assigned?: object; error?: string };
  };
}

export interface ConfigMapObject extends KubeObject {
  data?: Record<string, string>;
}

export interface CsrObject extends KubeObject {
  /** v1beta1 has `signerName` since 1.18, and finds it out itself where it is left out. */
  spec: { request: string; signerName?: string; usages: readonly string[]; username?: string };
  status?: { conditions?: Condition[]; certificate?: string };
}

/** Its conditions, as far as they are texts: times may be null, and a server that is none may send anything. */
export function conditionsOf(object: { status?: { conditions?: unknown } } | undefined): Condition[] {
  const conditions: unknown = object?.status?.conditions;
  return (Array.isArray(conditions) ? conditions : []).map(
    (entry: object | null) =>
      Object.fromEntries(Object.entries(entry ?? {}).filter(([, value]) => typeof value === 'string')) as Condition,
  );
}

export const isReady = (node: NodeObject | undefined): boolean =>
  conditionsOf(node).some(({ type, status }) => type === 'Ready' && status === 'True');
