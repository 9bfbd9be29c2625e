/** Findings from the cluster. */
import {
  assertClock,
  type CsrObject,
  conditionsOf,
  csrRef,
  isReady,
  type NodeObject,
  nodeRef,
  paths,
} from '../../engine/node/index.ts';
import { clean, defined, fail, type Identity, type Ports } from '../../engine/sdk/index.ts';
import { type Finding, findingOf } from './finding.ts';
import { notStarted } from './machine.ts';

export interface JoiningNode {
  nodeName: string;
  /** How far an unfinished run is, if it has not started the kubelet yet. */
  progress: string | undefined;
  /** When the last join ended, if it succeeded. */
  joinedAt: string | undefined;
}

/** How long a Node may need to become Ready. It is the time limit of a join that waits for it. */
const READY_WITHIN_MS = 5 * 60_000;

/** Asks with the node's own identity. */
export async function clusterFindings(
  { kube, clock }: Ports,
  identity: Identity,
  joining: JoiningNode,
): Promise<{ findings: Finding[]; uid?: string }> {
  const api = kube.as(identity);
  try {
    const node = await api.get<NodeObject>(nodeRef(joining.nodeName));
    const findings: Finding[] = [
      {
        check: 'api-server',
        state: 'ok',
        what: `${clean(identity.server)} answers and accepts this machine's certificate`,
      },
      clockFinding(identity.server, api.clockSkewMs()),
      nodeFinding(joining, node, clock.now()),
    ];
    return { findings, ...defined({ uid: node?.metadata.uid }) };
  } catch (error) {
    return { findings: [findingOf('api-server', error)] };
  }
}

function clockFinding(server: string, skewMs: number | undefined): Finding {
  try {
    assertClock(server, skewMs);
    return { check: 'clock', state: 'ok', what: 'in sync with the API server' };
  } catch (error) {
    return findingOf('clock', error);
  }
}

function nodeFinding(joining: JoiningNode, node: NodeObject | undefined, now: Date): Finding {
  const { nodeName: name, progress } = joining;
  const check = 'node';
  if (progress !== undefined && !isReady(node))
    return { check, state: 'note', what: `${name} is ${notStarted(progress)}` };
  if (node === undefined) {
    const what = `the cluster has no Node ${name}: the kubelet has not registered, or the Node was deleted`;
    return { check, state: 'problem', what, next: 'journalctl -u kubelet -n 50' };
  }
  if (isReady(node)) return { check, state: 'ok', what: `${name} is Ready` };
  const { status, reason = '', message = '' } = conditionsOf(node).find(({ type }) => type === 'Ready') ?? {};
  const why = [reason, message].map(clean).filter(Boolean).join(': ');
  const ageMs = now.getTime() - registeredAt(node, joining);
  if (status !== 'Unknown' && ageMs < READY_WITHIN_MS) return notReadyYet(name, why, ageMs);
  return { check, state: 'problem', what: `${name} is not Ready${why === '' ? '' : ` (${why})`}`, next: nextFor(why) };
}

/** A Node that remains from an earlier join is older than this join. */
function registeredAt({ metadata: { creationTimestamp = '' } }: NodeObject, { joinedAt = '' }: JoiningNode): number {
  const known = [creationTimestamp, joinedAt].map(Date.parse).filter((time) => !Number.isNaN(time));
  return Math.max(0, ...known);
}

/** A join ends when its Node has registered. What makes a Node Ready often starts after that. */
function notReadyYet(name: string, why: string, ageMs: number): Finding {
  const age = `${Math.max(0, Math.round(ageMs / 1000))} s ago`;
  const reason = why === '' ? 'the kubelet has not reported a reason' : why;
  const cause = NETWORK.test(why) ? '; it waits for a network plugin' : '';
  const next = `kubectl --kubeconfig ${paths.kubeletConf} wait --for=condition=Ready node/${name} --timeout=5m`;
  return { check: 'node', state: 'note', what: `${name} registered ${age}; not Ready yet: ${reason}${cause}`, next };
}

const NETWORK = /cni|network plugin/i;

/** The patterns match messages of the kubelet and of the node controller. */
function nextFor(why: string): string {
  if (NETWORK.test(why)) return 'install a network plugin in the cluster, then check /etc/cni/net.d';
  const readLog = 'journalctl -u kubelet -n 50';
  return /NodeStatusUnknown|stopped posting/.test(why) ? `systemctl restart kubelet\n${readLog}` : readLog;
}

/** Asks with the bootstrap credentials about the CSR that an unfinished join sent. */
export async function requestFindings(
  { kube }: Ports,
  identity: Identity,
  csr: string | undefined,
): Promise<Finding[]> {
  const { server, ca, token, certificate } = identity;
  try {
    if (csr === undefined || (token === undefined && certificate === undefined)) {
      const { clockSkewMs } = await kube.clusterInfo(server, { ca });
      return [
        { check: 'api-server', state: 'ok', what: `${clean(server)} answers` },
        clockFinding(server, clockSkewMs),
      ];
    }
    const api = kube.as(identity);
    const found = await api.get<CsrObject>(csrRef(csr));
    return [
      { check: 'api-server', state: 'ok', what: `${clean(server)} answers` },
      clockFinding(server, api.clockSkewMs()),
      requestFinding(csr, found),
    ];
  } catch (error) {
    return [findingOf('api-server', error)];
  }
}

function requestFinding(name: string, csr: CsrObject | undefined): Finding {
  const check = 'csr';
  if (csr === undefined) return findingOf(check, fail('E_CSR_GONE', { csr: name }));
  for (const { type, reason = '', message = '' } of conditionsOf(csr)) {
    const facts = { csr: name, reason: clean(reason), message: clean(message) };
    if (type === 'Denied') return findingOf(check, fail('E_CSR_DENIED', facts));
    if (type === 'Failed') return findingOf(check, fail('E_CSR_FAILED', facts));
    if (type === 'Approved') return { check, state: 'ok', what: `${name} is approved`, next: 'join resume' };
  }
  const next = `kubectl certificate approve ${name}\njoin resume`;
  return { check, state: 'problem', what: `${name} is Pending: it needs approval`, next };
}
