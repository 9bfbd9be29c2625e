/**
 * Causes for which a step of the default pipeline fails, on a scratch machine or in its cluster. Each can be fixed, so
 * that a resumed run succeeds.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CLUSTER_INFO } from './api/faults.ts';
import { CSR } from './api/resources.ts';
import type { FailureName } from './failure-names.ts';
import type { Sandbox } from './index.ts';
import { KUBELET_FAILS } from './machine/launch.ts';
import { type CertificateSigningRequest, type Condition, timestamp } from './objects.ts';

export interface FailureStage {
  sandbox: Sandbox;
  /** The root directory of the machine. */
  root: string;
  hostName: string;
}

interface Failure {
  /** What happens in the step, to follow "because". */
  cause: string;
  /** The command that removes the cause. Absent: it happens only once. */
  fix?(root: string): string;
  prepare(stage: FailureStage): Promise<void> | void;
}

const KUBELET = 'usr/bin/kubelet';
const FORWARD = 'proc/sys/net/ipv4/ip_forward';
const FLAGS = 'var/lib/kubelet/kubeadm-flags.env';

const failures: Record<FailureName, Failure> = {
  'kubelet-version': {
    cause: 'the kubelet is not executable',
    fix: (root) => `chmod +x ${root}/${KUBELET}`,
    prepare: ({ root }) => chmod(join(root, KUBELET), 0o644),
  },
  preflight: {
    cause: 'the machine does not forward packets',
    fix: (root) => `echo 1 > ${root}/${FORWARD}`,
    prepare: ({ root }) => writeFile(join(root, FORWARD), '0\n'),
  },
  discovery: {
    cause: 'anonymous users may not read cluster-info',
    prepare: ({ sandbox }) => sandbox.faults.add({ effect: 'forbidden', path: CLUSTER_INFO }),
  },
  'cluster-config': {
    cause: 'the API server forbids to read the configuration of the cluster',
    prepare: ({ sandbox }) =>
      sandbox.faults.add({ effect: 'forbidden', path: '/api/v1/namespaces/kube-system/configmaps/kubeadm-config' }),
  },
  'preflight-cluster': {
    cause: 'another machine has already joined with the name of this one',
    prepare({ sandbox, hostName }) {
      const status = { conditions: [{ type: 'Ready', status: 'True' }] };
      const text = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: hostName, uid: '1' }, status });
      const headers = { 'content-type': 'application/json' };
      sandbox.faults.add({ effect: 'instead', method: 'GET', path: `/api/v1/nodes/${hostName}`, text, headers });
    },
  },
  'tls-bootstrap': {
    cause: 'an administrator denies the first CertificateSigningRequest',
    prepare: ({ sandbox }) => denyFirst(sandbox),
  },
  'kubelet-config': {
    cause: 'a pipe is in the way of a file',
    fix: (root) => `rm ${root}/${FLAGS}`,
    prepare: ({ root }) => obstruct(join(root, FLAGS)),
  },
  'kubelet-start': {
    cause: 'the kubelet exits at its first start',
    prepare: ({ root }) => writeFile(join(root, KUBELET_FAILS), ''),
  },
  'node-ready': {
    cause: 'the API server forbids to list Nodes',
    prepare: ({ sandbox }) => sandbox.faults.add({ effect: 'forbidden', method: 'GET', path: /^\/api\/v1\/nodes\?/ }),
  },
};

/** Prepares the failure, and returns what a user should know about it. */
export async function prepareFailure(name: FailureName, stage: FailureStage): Promise<string> {
  const { cause, fix, prepare } = failures[name];
  await prepare(stage);
  const next = fix === undefined ? 'It happens only once.' : `To fix it: ${fix(stage.root)}`;
  return `Step ${name} will fail, because ${cause}. ${next}`;
}

/** A pipe, which no check looks for. */
async function obstruct(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await promisify(execFile)('mkfifo', [path]);
}

/** Meanwhile, nothing is approved automatically. */
function denyFirst(sandbox: Sandbox): void {
  const { store, autoApprove } = sandbox;
  sandbox.autoApprove = false;
  const stop = store.subscribe(({ type, resource, object: { metadata } }) => {
    if (resource !== CSR || type !== 'ADDED') return;
    stop();
    setImmediate(() => {
      const csr = store.get<CertificateSigningRequest>(CSR, metadata.name);
      if (csr !== undefined) store.update(CSR, { ...csr, status: { conditions: [denial()] } });
      sandbox.autoApprove = autoApprove;
    });
  });
}

function denial(): Condition {
  const at = timestamp(new Date());
  const message = 'the sandbox denies the first request';
  const times = { lastUpdateTime: at, lastTransitionTime: at };
  return { type: 'Denied', status: 'True', reason: 'SandboxDenied', message, ...times };
}
