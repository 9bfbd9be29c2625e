/** One fault of a control plane: a phase, what is wrong, and the whole error. */
import { nodeRef } from '../../engine/node/index.ts';
import { generateSealKey, seal } from '../../engine/pki/index.ts';
import { type AnyPhase, fail, isJoinError } from '../../engine/sdk/index.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import { runPhase } from '../../engine/testing/run-phase.ts';
import { type Authority, authority, FakeCluster, issue, NOW, SERVER, TOKEN } from './cluster.ts';
import { ADDRESS, adminConf, CONFIGURATION, controlPlaneMachine, PKI, SHARED } from './control-plane.ts';

export interface Fault {
  /** What is wrong. */
  title: string;
  phase: AnyPhase;
  input?: object;
  machine?: MemoryMachine;
  /** Changes the host, so that one of its calls fails. */
  breaks?: (host: MemoryHost) => void;
  /** Code and message. */
  error: string;
}

/** Elliptic keys, because a test makes many of them. */
export const CLUSTER = { ...CONFIGURATION, encryptionAlgorithm: 'ECDSA-P256' };
export const KEY = generateSealKey();
export const IDENTITY = { server: SERVER, ca: SHARED['ca.crt'] ?? '', token: TOKEN };
const SECRET = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system', name: 'kubeadm-certs' };
export const SECRET_PATH = '/api/v1/namespaces/kube-system/secrets/kubeadm-certs';

/** The Secret with the certificates; `changed` replaces a content, or the sealed bytes, or removes it. */
export function secretData(changed: Record<string, string | Buffer | undefined> = {}, key = KEY) {
  const contents = Object.entries(SHARED).map(([path, content]): [string, string | Buffer | undefined] => {
    const name = path.replace('/', '-');
    return [name, name in changed ? changed[name] : content];
  });
  return Object.fromEntries(
    contents.flatMap(([name, content]) => {
      if (content === undefined) return [];
      const bytes = typeof content === 'string' ? seal(key, Buffer.from(content)) : content;
      return [[name, bytes.toString('base64')]];
    }),
  );
}

/** A new control plane in a cluster that has this Secret. */
export function withSecret(data: object | undefined, answer?: { status: number; message: string }): MemoryMachine {
  const cluster = new FakeCluster();
  if (data !== undefined) cluster.put(SECRET, { data });
  if (answer !== undefined)
    cluster.answers.set(`GET ${SECRET_PATH}`, cluster.answer(answer.status, { message: answer.message }));
  return { now: () => NOW, directories: ['/etc/kubernetes'], send: cluster.send };
}

/** A control plane with the shared certificates and admin.conf, and these answers of the API server. */
export function withAdmin(answers: Record<string, { status: number; message: string }> = {}): MemoryMachine {
  const ca: Authority = authority();
  const cluster = new FakeCluster(ca);
  for (const [call, { status, message }] of Object.entries(answers))
    cluster.answers.set(call, cluster.answer(status, { message }));
  cluster.put(nodeRef('cp2'), { metadata: { name: 'cp2', labels: { 'kubernetes.io/hostname': 'cp2' } }, spec: {} });
  const machine = controlPlaneMachine();
  const files = { ...machine.files, '/etc/kubernetes/admin.conf': adminConf(ca.pem, issue(ca, ADMIN)) };
  return { ...machine, files, send: cluster.send, wait: cluster.wait };
}
const ADMIN = { user: 'kubernetes-admin', groups: ['kubeadm:cluster-admins'] };

/** Code and message of the error, and which files have changed. */
export async function outcomeOf({ phase, input = {}, machine = {}, breaks }: Fault) {
  const host = memoryHost(machine);
  breaks?.(host);
  const { error } = await runPhase(phase, { ...input } as Record<string, unknown>, host, { onFailure: 'undo' });
  return { error: isJoinError(error) ? `${error.code}: ${error.message}` : String(error), host, hint: hintOf(error) };
}
const hintOf = (error: unknown): string => (isJoinError(error) ? (error.hint ?? '') : '');

/** Writing number `count` finds the disk full. */
export const fullDiskAt =
  (count: number) =>
  (host: MemoryHost): void => {
    const { apply } = host;
    let writes = 0;
    host.apply = async (change, signal) => {
      if (change.kind === 'file' && ++writes === count)
        throw fail('E_FILE', { path: change.path, what: 'no space is left on the device' });
      return apply.call(host, change, signal);
    };
  };

export { ADDRESS, PKI };
