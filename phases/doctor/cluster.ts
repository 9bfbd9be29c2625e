/** Findings from the cluster. */
import {
  assertClock,
  type CsrObject,
  conditionsOf,
  csrRef,
  isReady,
  type NodeObject,
  nodeRef,
} from '../../engine/node/index.ts';
import { clean, defined, fail, type Identity, type Ports } from '../../engine/sdk/index.ts';
import { type Finding, findingOf } from './finding.ts';
import { notStarted } from './machine.ts';

export interface JoiningNode {
  nodeName: string;
  /** How far an unfinished run has come that has not started the kubelet yet. */
  progress: string | undefined;
}

/** Asks with the node's own identity. */
export async function clusterFindings(
  { kube }: Ports,
  identity: Identity,
  { nodeName, progress }: JoiningNode,
): Promise<{ findings: Finding[]; uid?: string }> {
  const api = kube.as(identity);
  try {
    const node = await api.get<NodeObject>(nodeRef(nodeName));
    const findings: Finding[] = [
      {
        check: 'api-server',
        state: 'ok',
        what: `${clean(identity.server)} answers and accepts this machine's certificate`,
      },
      clockFinding(identity.server, api.clockSkewMs()),
      nodeFinding(nodeName, node, progress),
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

function nodeFinding(name: string, node: NodeObject | undefined, progress: string | undefined): Finding {
  const check = 'node';
  if (progress !== undefined && !isReady(node))
    return { check, state: 'note', what: `${name} is ${notStarted(progress)}` };
  if (node === undefined) {
    const what = `the cluster has no Node ${name}: the kubelet has not registered, or the Node was deleted`;
    return { check, state: 'problem', what, next: 'journalctl -u kubelet -n 50' };
  }
  if (isReady(node)) return { check, state: 'ok', what: `${name} is Ready` };
  const { reason = '', message = '' } = conditionsOf(node).find(({ type }) => type === 'Ready') ?? {};
  const why = [reason, message].map(clean).filter(Boolean).join(': ');
  return { check, state: 'problem', what: `${name} is not Ready${why === '' ? '' : ` (${why})`}`, next: nextFor(why) };
}

/** The patterns match messages of the kubelet and of the node controller. */
function nextFor(why: string): string {
  if (/cni|network plugin/i.test(why)) return 'install a network plugin in the cluster, then check /etc/cni/net.d';
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
