/** A row of the table of faults: what fails, where, how it is injected, and the expected result. */
import type { EXIT } from '../../engine/sdk/index.ts';
import type { Outcome } from './join.ts';
import type { Scene } from './scene.ts';

export interface Fault {
  name: string;
  /** The request, step or file it happens at. */
  where: string;
  inject(scene: Scene): unknown;
  /** The error it must end with and its family of exit codes. */
  ends: 'survives' | readonly [code: string, family: keyof typeof EXIT];
  /** Time limits of steps. Default: the shipped limits, which are minutes. */
  limitsMs?: Record<string, number>;
  /** How far clocks are ahead of the true time. */
  clocks?: { clusterMs?: number; machineMs?: number } | undefined;
  /** The machine joins before the fault is made, and once more with it. */
  joinedBefore?: true;
  /** As `--dry-run`. */
  dryRun?: true;
  /** It stays when faults are cleared, so the same command cannot be tried again. */
  lasting?: true;
  /** A known defect. The row must fail until the defect is fixed. */
  shows?: string;
  /** What else must hold. */
  also?(scene: Scene, outcome: Outcome): unknown;
}

/** The requests of a join, in their order: how the sandbox tells each from the others. */
export const REQUESTS = {
  'cluster-info, unverified': { method: 'GET', path: /\/configmaps\/cluster-info$/, step: 'discovery' },
  'cluster-info, verified': { method: 'GET', path: /\/configmaps\/cluster-info$/, after: 1, step: 'discovery' },
  'node get': { method: 'GET', path: /\/nodes\/w1$/, step: 'preflight-cluster' },
  'access review': { method: 'POST', path: /\/selfsubjectaccessreviews$/, step: 'tls-bootstrap' },
  'CSR create': { method: 'POST', path: /\/certificatesigningrequests(\?dryRun=All)?$/, step: 'tls-bootstrap' },
  'CSR get after 409': { method: 'GET', path: /\/certificatesigningrequests\/node-csr-/, step: 'tls-bootstrap' },
  'CSR watch': { method: 'GET', path: /\/certificatesigningrequests\?.*watch=true/, step: 'tls-bootstrap' },
  'CSR list': { method: 'GET', path: /\/certificatesigningrequests\?(?!.*watch=true)/, step: 'tls-bootstrap' },
  'kubeadm-config get': { method: 'GET', path: /\/configmaps\/kubeadm-config$/, step: 'cluster-config' },
  'kubelet-config get': { method: 'GET', path: /\/configmaps\/kubelet-config$/, step: 'cluster-config' },
  'node list': { method: 'GET', path: /\/nodes\?(?!.*watch=true)/, step: 'node-ready' },
  'node watch': { method: 'GET', path: /\/nodes\?.*watch=true/, step: 'node-ready' },
  'node patch': { method: 'PATCH', path: /\/nodes\/w1$/, step: 'node-ready' },
  /** Of dry runs alone: whether the server can try without doing. */
  version: { method: 'GET', path: /^\/version$/, step: 'tls-bootstrap' },
} as const;

export type RequestName = keyof typeof REQUESTS;
export const requestNames = (Object.keys(REQUESTS) as RequestName[]).filter((name) => name !== 'version');
/** A limit for a step that will not end by itself. It passes soon after the fault was met: see `clockOf`. */
export const LIMIT_MS = 3_000;
export const EVER = Number.POSITIVE_INFINITY;
