/** References to the API objects that joining is about. */
import type { KubeObject, ObjectRef } from './ports.ts';

export const nodeRef = (name: string): ObjectRef => ({ apiVersion: 'v1', resource: 'nodes', name });
export const configMapRef = (namespace: string, name: string): ObjectRef => ({
  apiVersion: 'v1',
  resource: 'configmaps',
  namespace,
  name,
});
export const csrRef = (name: string): ObjectRef => ({
  apiVersion: 'certificates.k8s.io/v1',
  resource: 'certificatesigningrequests',
  name,
});

export interface Condition {
  type: string;
  status: string;
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
  spec: { request: string; signerName: string; usages: readonly string[]; username?: string };
  status?: { conditions?: Condition[]; certificate?: string };
}

export const isReady = (node: NodeObject | undefined): boolean =>
  node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
