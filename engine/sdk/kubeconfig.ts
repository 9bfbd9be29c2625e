/** The parts of kubeconfig files that joining reads. Source: client-go, tools/clientcmd/api/v1. */
import { parseYaml } from './yaml.ts';

export interface KubeconfigCluster {
  name: string;
  server: string;
  /** PEM, from `certificate-authority-data`; empty where it is absent. */
  ca: string;
  /** The file that holds it instead, from `certificate-authority`. */
  caFile: string | undefined;
  /** `insecure-skip-tls-verify`: whoever reads this refuses it. */
  insecure: boolean;
}

export interface Kubeconfig {
  clusters: KubeconfigCluster[];
  users: { name: string; user: Record<string, unknown> }[];
  contexts: { name: string; cluster: string; user: string }[];
  /** Empty where there is none. */
  currentContext: string;
}

/** Throws an Error of one line that says what is wrong. `null` lists count as empty, as Go writes them. */
export function readKubeconfig(text: string): Kubeconfig {
  const root = record(parseYaml(text), 'the document');
  return {
    clusters: list(root.clusters, 'clusters').map((entry) => {
      const cluster = record(entry.cluster, 'cluster');
      const server = cluster.server;
      if (typeof server !== 'string' || !URL.canParse(server)) throw new Error('a cluster has no server URL');
      const caFile = cluster['certificate-authority'];
      return {
        name: textOf(entry.name),
        server,
        ca: base64Text(cluster['certificate-authority-data']),
        caFile: typeof caFile === 'string' ? caFile : undefined,
        insecure: cluster['insecure-skip-tls-verify'] === true,
      };
    }),
    users: list(root.users, 'users').map((entry) => ({
      name: textOf(entry.name),
      user: record(entry.user ?? {}, 'user'),
    })),
    contexts: list(root.contexts, 'contexts').map((entry) => {
      const context = record(entry.context ?? {}, 'context');
      return { name: textOf(entry.name), cluster: textOf(context.cluster), user: textOf(context.user) };
    }),
    currentContext: textOf(root['current-context']),
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const base64Text = (value: unknown): string => Buffer.from(textOf(value), 'base64').toString('utf8');

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is no mapping`);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): Record<string, unknown>[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`${what} is no list`);
  return value.map((entry) => record(entry, `an entry of ${what}`));
}
