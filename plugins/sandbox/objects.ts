/** API objects, as JSON and in the store. */

export interface ObjectMeta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** An object from a client; the server adds the missing fields. */
export interface Draft {
  apiVersion?: string;
  kind?: string;
  metadata?: Partial<ObjectMeta>;
  [field: string]: unknown;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
}

export interface CertificateSigningRequest extends KubeObject {
  spec: {
    /** base64 of the PEM text */
    request: string;
    signerName: string;
    usages: string[];
    expirationSeconds?: number;
    username?: string;
    groups?: string[];
  };
  status?: { conditions?: Condition[]; certificate?: string };
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export interface Secret extends KubeObject {
  type?: string;
  /** base64 values */
  data?: Record<string, string>;
}

export interface Node extends KubeObject {
  spec?: { taints?: unknown[]; configSource?: unknown };
  status?: {
    conditions?: Condition[];
    addresses?: { type: string; address: string }[];
    nodeInfo?: Record<string, string>;
  };
}

export type Json = Record<string, unknown>;

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const hasCondition = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditions?.some((condition) => condition.type === type) ?? false;

/** A time as in Kubernetes: UTC, whole seconds. */
export const timestamp = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');

/** A copy with that field set, or without it if the value is undefined. */
export function withField(object: Draft, field: string, value: unknown): Draft {
  const { [field]: _, ...rest } = object;
  return value === undefined ? rest : { ...rest, [field]: value };
}
