/** How the API server prepares each kind of object before it stores it. */
import { type CertificateSigningRequest, type Draft, isRecord, type KubeObject, withField } from '../objects.ts';
import type { User } from './authentication.ts';
import * as csr from './csr-strategy.ts';
import { CSR, type Resource } from './resources.ts';
import { invalid, invalidValue, required } from './status.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " +
  'start and end with an alphanumeric character';
const PATH_SEGMENT = /^(?!\.\.?$)[^/%]+$/;

export function prepareCreate(resource: Resource, draft: Draft, user: User): Draft {
  checkName(resource, draft);
  if (resource.plural === CSR) return csr.prepareCreate(draft, user, resource.version);
  if (resource.plural === 'nodes') return withNodeDefaults(draft);
  return resource.plural === 'secrets' ? encodeStringData(draft) : draft;
}

/** With a status subresource, writing the object keeps its status, and writing the status keeps the spec. */
export function prepareUpdate(resource: Resource, part: string, next: Draft, before: KubeObject, now: Date): Draft {
  if (resource.plural === CSR) return csr.prepareUpdate(part, next, before as CertificateSigningRequest, now);
  if (resource.plural === 'secrets') return encodeStringData(next);
  if (!resource.subresources.includes('status')) return next;
  const kept = part === 'status' ? 'spec' : 'status';
  return withField(next, kept, before[kept]);
}

function checkName({ kind, group, plural }: Resource, { metadata = {} }: Draft): void {
  const { name, generateName } = metadata;
  const problem = (cause: ReturnType<typeof required>) => invalid(kind, group, name ?? '', [cause]);
  if (name === undefined && generateName === undefined)
    throw problem(required('metadata.name', 'name or generateName is required'));
  // Names such as kubeadm:get-nodes (roles) and node-csr-A_b (CSRs) are not subdomains.
  const pattern = group.startsWith('rbac.') || plural === CSR ? PATH_SEGMENT : SUBDOMAIN;
  const whole = name ?? `${generateName}x`;
  if (whole.length > 253 || !pattern.test(whole))
    throw problem(invalidValue(name === undefined ? 'metadata.generateName' : 'metadata.name', whole, SUBDOMAIN_RULE));
}

/** Go serializes the missing fields of a Node as empty strings. */
function withNodeDefaults(draft: Draft): Draft {
  const status = isRecord(draft.status) ? draft.status : {};
  const nodeInfo = { ...EMPTY_NODE_INFO, ...(isRecord(status.nodeInfo) ? status.nodeInfo : {}) };
  return { ...draft, spec: draft.spec ?? {}, status: { ...NO_ENDPOINTS, ...status, nodeInfo } };
}

const NO_ENDPOINTS = { daemonEndpoints: { kubeletEndpoint: { Port: 0 } } };
const EMPTY_NODE_INFO = {
  machineID: '',
  systemUUID: '',
  bootID: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
  kubeletVersion: '',
  kubeProxyVersion: '',
  operatingSystem: '',
  architecture: '',
};

function encodeStringData(draft: Draft): Draft {
  const { stringData, ...rest } = draft;
  if (!isRecord(stringData)) return rest;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')]);
  return { ...rest, data: { ...(isRecord(rest.data) ? rest.data : {}), ...Object.fromEntries(encoded) } };
}
