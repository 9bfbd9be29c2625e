/**
 * Tables: the columns of `kubectl get`, which the server computes. Source: kubernetes, pkg/printers/internalversion.
 */
import type { CertificateSigningRequest, KubeObject, Node, Secret } from '../objects.ts';

type Cell = string | number;

interface Column {
  name: string;
  /** 1: only for `-o wide`. */
  priority?: 1;
  cell(object: KubeObject, now: Date): Cell;
}

const NAME: Column = { name: 'Name', cell: ({ metadata }) => metadata.name };
const AGE: Column = { name: 'Age', cell: ({ metadata }, now) => age(metadata.creationTimestamp, now) };
const DATA: Column = { name: 'Data', cell: ({ data }) => Object.keys((data ?? {}) as object).length };

const columnsOf: Record<string, Column[]> = {
  Node: [
    NAME,
    { name: 'Status', cell: (object) => nodeStatus(object as Node) },
    { name: 'Roles', cell: nodeRoles },
    AGE,
    { name: 'Version', cell: (object) => (object as Node).status?.nodeInfo?.kubeletVersion ?? '' },
    { name: 'Internal-IP', priority: 1, cell: (object) => address(object as Node, 'InternalIP') },
    { name: 'External-IP', priority: 1, cell: (object) => address(object as Node, 'ExternalIP') },
    { name: 'OS-Image', priority: 1, cell: (object) => nodeInfo(object as Node, 'osImage') },
    { name: 'Kernel-Version', priority: 1, cell: (object) => nodeInfo(object as Node, 'kernelVersion') },
    { name: 'Container-Runtime', priority: 1, cell: (object) => nodeInfo(object as Node, 'containerRuntimeVersion') },
  ],
  CertificateSigningRequest: [
    NAME,
    AGE,
    { name: 'SignerName', cell: (object) => (object as CertificateSigningRequest).spec.signerName },
    { name: 'Requestor', cell: (object) => (object as CertificateSigningRequest).spec.username ?? '' },
    { name: 'Condition', cell: (object) => csrCondition(object as CertificateSigningRequest) },
  ],
  ConfigMap: [NAME, DATA, AGE],
  Secret: [NAME, { name: 'Type', cell: (object) => (object as Secret).type ?? 'Opaque' }, DATA, AGE],
};

export const wantsTable = (accept: string): boolean => accept.includes('as=Table');

/** `objects` as rows. Each row has the metadata of its object, which kubectl needs. */
export function toTable(objects: readonly KubeObject[], metadata: object, now: Date): object {
  const columns = columnsOf[objects[0]?.kind ?? ''] ?? [NAME, AGE];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, priority = 0 }) => ({
      name,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

function nodeStatus({ status, spec }: Node & { spec?: { unschedulable?: boolean } }): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const known = ready?.status === 'True' ? 'Ready' : 'NotReady';
  const word = ready === undefined ? 'Unknown' : known;
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function nodeRoles({ metadata }: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const labels = Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return labels.length === 0
    ? '<none>'
    : labels
        .map((label) => label.slice(prefix.length))
        .sort()
        .join(',');
}

const address = ({ status }: Node, type: string): string =>
  status?.addresses?.find((entry) => entry.type === type)?.address ?? '<none>';
const nodeInfo = ({ status }: Node, field: string): string => status?.nodeInfo?.[field] ?? '<unknown>';

function csrCondition({ status = {} }: CertificateSigningRequest): string {
  const types = status.conditions?.map(({ type }) => type) ?? [];
  const decision = types.find((type) => type === 'Denied') ?? types.find((type) => type === 'Approved') ?? 'Pending';
  return [
    decision,
    ...(types.includes('Failed') ? ['Failed'] : []),
    ...(status.certificate === undefined ? [] : ['Issued']),
  ].join();
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Durations as in kubectl: two units if they are short, one if they are long. */
function age(since: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  const two = (unit: number, letter: string, rest: number, restLetter: string) => {
    const remainder = Math.floor((seconds % unit) / rest);
    return `${Math.floor(seconds / unit)}${letter}${remainder === 0 ? '' : `${remainder}${restLetter}`}`;
  };
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return two(MINUTE, 'm', 1, 's');
  if (seconds < 3 * HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return two(HOUR, 'h', MINUTE, 'm');
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)}h`;
  return seconds < 8 * DAY ? two(DAY, 'd', HOUR, 'h') : `${Math.floor(seconds / DAY)}d`;
}
