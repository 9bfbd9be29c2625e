/**
 * Approval by the fleet. A machine reports, over its authenticated transport, which certificate request it sent and for
 * which key. The fleet approves exactly that request, so a stolen token joins nothing.
 */
import { sleep } from '../../limits/timers.ts';
import { type CsrObject, conditionsOf, isReady, NODES_GROUP, nodeUser } from '../../node/index.ts';
import { type Csr, pinOf, readCsr } from '../../pki/index.ts';
import type { RunEvent } from '../../run/run.ts';
import { fail } from '../../sdk/errors.ts';
import { clean } from '../../sdk/text.ts';
import type { MachineContext } from '../machine.ts';
import type { FleetCluster } from './cluster.ts';
import { tokenUser } from './token.ts';

const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const USAGES = ['client auth,digital signature', 'client auth,digital signature,key encipherment'];
/** The request may have been changed, for example by a label, while it was checked. */
const TRIES_MAX = 5;
const PAUSE_MS = 500;

/** What a machine says of its certificate request. */
export interface ReportedRequest {
  csr: string;
  node: string;
  /** `sha256:<hex>` of its SubjectPublicKeyInfo. */
  publicKey: string;
}

/** The request that the machine waits for; undefined if the event is about something else. */
export function reportedRequest(event: RunEvent): ReportedRequest | undefined {
  const { csr, node, publicKey } = (event.type === 'step.wait' ? event.about : undefined) ?? {};
  if (csr === undefined || node === undefined || publicKey === undefined) return undefined;
  return /^[\w.-]{1,253}$/.test(csr) ? { csr, node, publicKey } : undefined;
}

/** Approves the request, unless it is approved already. E_FLEET_CSR if it is not what the machine reported. */
export async function approveRequest(
  cluster: FleetCluster,
  context: MachineContext,
  tokenId: string,
  reported: ReportedRequest,
): Promise<void> {
  const { host, rollout, signal } = context;
  const refuse = (what: string) => fail('E_FLEET_CSR', { host: host.name, csr: reported.csr, what });
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const found = await cluster.csr(reported.csr);
    if (found === undefined) throw refuse('the cluster does not have it');
    const problem = problemOf(found.csr, reported, tokenId) ?? (await nameProblem(cluster, context, reported.node));
    if (problem !== undefined) throw refuse(problem);
    if (conditionsOf(found.csr).some(({ type }) => type === 'Approved')) return;
    const message = `Joinery fleet, rollout ${rollout}: ${host.name} reported the key ${reported.publicKey}`;
    if (await cluster.approve(found.ref, found.csr, message)) return;
    await sleep(PAUSE_MS, signal);
  }
  throw refuse('it changes while it is checked');
}

/** Why the request is not the one that the machine reported; undefined if it is. */
export function problemOf({ spec }: CsrObject, reported: ReportedRequest, tokenId: string): string | undefined {
  const request = requestIn(spec.request);
  if (request === undefined) return 'it is not a certificate request';
  const { commonName, organizations, publicKey, signatureValid, asksExtensions } = request;
  const digest = pinOf(publicKey);
  if (digest !== reported.publicKey)
    return `it is for the key ${digest}, and the machine reported ${clean(reported.publicKey)}`;
  if (!signatureValid) return 'its signature is not that of its key';
  const subject = `${clean(commonName)} of ${clean(organizations.join()) || 'no group'}`;
  if (commonName !== nodeUser(reported.node) || organizations.join() !== NODES_GROUP)
    return `its subject is ${subject}, not ${nodeUser(reported.node)} of ${NODES_GROUP}`;
  if (asksExtensions) return 'it requests alternative names';
  const usages = Array.isArray(spec.usages) ? [...new Set(spec.usages.map(String))].sort().join() : '';
  if (!USAGES.includes(usages)) return `its usages are ${clean(usages)}`;
  if (spec.signerName !== SIGNER) return `its signer is ${clean(String(spec.signerName))}, not ${SIGNER}`;
  if (spec.username !== tokenUser(tokenId))
    return `${clean(String(spec.username))} requested it, not the token of the machine`;
  return undefined;
}

function requestIn(base64: unknown): Csr | undefined {
  try {
    return readCsr(Buffer.from(String(base64), 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A machine could report the name of another one, and would then get its identity. */
async function nameProblem(cluster: FleetCluster, { fleet, host }: MachineContext, node: string) {
  const owner = fleet.hosts.find((other) => (other.variables.nodeName ?? other.name) === node);
  if (owner !== undefined && owner.name !== host.name) return `${node} is the name of another machine of the fleet`;
  const existing = await cluster.node(node);
  return isReady(existing) ? `the cluster has a Node ${clean(node)} that is Ready` : undefined;
}

/** E_FLEET_CSR if a request with the token of the machine was not approved: the token may be stolen. */
export async function requireNoOtherRequest(cluster: FleetCluster, host: string, tokenId: string): Promise<void> {
  const others = (await cluster.csrsOf(tokenUser(tokenId))).filter((csr) => conditionsOf(csr).length === 0);
  const [other] = others;
  if (other === undefined) return;
  const what = `it was requested with the token of this machine, and the machine did not report it`;
  throw fail('E_FLEET_CSR', { host, csr: clean(other.metadata.name ?? ''), what });
}
