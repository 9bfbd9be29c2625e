/** From a discovery file to kubelet.conf, on a machine in memory: what was verified, and what was written. */
import { parse } from 'yaml';
import { readCertificates } from '../../engine/pki/index.ts';
import { revealSecrets } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { runPhase } from '../../engine/testing/run-phase.ts';
import kubeconfig from '../../phases/kubeconfig/index.ts';
import { authority, issue, TOKEN } from './cluster.ts';
import { discover, machineOf, outputsOf, SIGNAL } from './discovery-file.ts';

const node = issue(authority());
export const KUBELET_CONF = '/etc/kubernetes/kubelet.conf';

export interface Written {
  /** The server that was asked for cluster-info, and the pins of the CA that it was verified with. */
  verified: { server: string; pins: string[] };
  /** kubelet.conf as it stands, and as YAML says it. */
  text: string;
  document: unknown;
}

/** The error of discovery, or the kubelet.conf that was written. */
export async function kubeletConfOf(text: string, files: Record<string, string> = {}): Promise<Written | Error> {
  const host = memoryHost({ ...machineOf(text, { files }), directories: ['/etc', '/var/lib'] });
  const outcome = await discover(host, { token: TOKEN });
  if (outcome.error !== undefined) return outcome.error as Error;
  const { identity } = outputsOf(outcome) as { identity: { server: string; ca: string } };
  const [request] = host.sent;
  const trust = revealSecrets(request?.as) as { ca: string };
  const { server, ca } = identity;
  const { error } = await runPhase(kubeconfig, { server, ca, certificate: node.pem, key: node.keyPem }, host);
  if (error !== undefined) throw error;
  const conf = String(await host.read<'file'>({ kind: 'file', path: KUBELET_CONF }, SIGNAL));
  return {
    verified: { server: request?.server ?? '', pins: pinsOf(trust.ca) },
    text: conf,
    document: parse(conf),
  };
}

export const pinsOf = (pem: string): string[] => readCertificates(pem).map(({ pin }) => pin);

/** All that kubelet.conf may say of a cluster, read back from it. Throws for anything else. */
export function clusterIn(document: unknown): { server: string; pins: string[] } {
  const { clusters, ...rest } = document as { clusters: { name: string; cluster: Record<string, string> }[] };
  const [only, ...more] = clusters;
  const { server = '', 'certificate-authority-data': ca = '', ...unknown } = only?.cluster ?? {};
  if (more.length > 0 || Object.keys(unknown).length > 0)
    throw new Error(`kubelet.conf says more of its cluster: ${JSON.stringify([unknown, more])}`);
  const others = Object.keys(rest).sort().join();
  if (others !== 'apiVersion,contexts,current-context,kind,preferences,users')
    throw new Error(`kubelet.conf has other fields: ${others}`);
  return { server, pins: pinsOf(Buffer.from(ca, 'base64').toString('utf8')) };
}
