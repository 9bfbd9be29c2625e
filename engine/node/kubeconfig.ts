/** Kubeconfig files as data. Source: client-go, tools/clientcmd/api/v1. */
import { maskTokens } from '../sdk/text.ts';
import { parseYaml } from '../sdk/yaml.ts';

export interface KubeconfigCluster {
  name: string;
  server: string;
  /** PEM, from `certificate-authority-data`; empty if it is absent. */
  ca: string;
  /** Path of the CA file, from `certificate-authority`. */
  caFile: string | undefined;
  /** All fields, unchanged. */
  cluster: Record<string, unknown>;
}

export interface KubeconfigContext {
  name: string;
  cluster: string;
  user: string;
}

export interface Kubeconfig {
  clusters: KubeconfigCluster[];
  users: { name: string; user: Record<string, unknown> }[];
  contexts: KubeconfigContext[];
  /** Name of the current context; empty if it is not set. */
  current: string;
}

/** Parses a kubeconfig. Throws an Error of one line with the problem. A `null` list is empty, as Go writes it. */
export function readKubeconfig(text: string): Kubeconfig {
  const root = record(parseYaml(text), 'the document');
  return {
    clusters: list(root.clusters, 'clusters').map((entry) => {
      const cluster = record(entry.cluster, 'cluster');
      const caFile = cluster['certificate-authority'];
      return {
        name: textOf(entry.name),
        server: textOf(cluster.server),
        ca: caText(cluster['certificate-authority-data']),
        caFile: typeof caFile === 'string' ? caFile : undefined,
        cluster,
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
    current: textOf(root['current-context']),
  };
}

/** The current context. Throws an Error with the problem. */
export function currentContext({ contexts, current }: Kubeconfig): KubeconfigContext {
  const known = maskTokens(contexts.map((context) => context.name).join(', ')) || 'none';
  if (current === '') throw new Error(`it has no current-context (contexts: ${known})`);
  const found = contexts.find((context) => context.name === current);
  if (found === undefined)
    throw new Error(`its current-context is ${maskTokens(current)}, which does not exist (contexts: ${known})`);
  return found;
}

/** The cluster without a name, as in cluster-info, or that of the current context, or the only one. */
export function clusterInUse(kubeconfig: Kubeconfig): KubeconfigCluster | undefined {
  const { clusters, contexts, current } = kubeconfig;
  const context = contexts.find(({ name }) => name === current);
  const named = clusters.find(({ name }) => name === '') ?? clusters.find(({ name }) => name === context?.cluster);
  return named ?? (current === '' && clusters.length === 1 ? clusters[0] : undefined);
}

/** The cluster of that name. Throws an Error with the problem. */
export function clusterNamed({ clusters }: Kubeconfig, wanted: string): KubeconfigCluster {
  const found = clusters.find((cluster) => cluster.name === wanted);
  if (found === undefined) throw new Error(`its cluster "${maskTokens(wanted)}" does not exist`);
  return found;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
function caText(value: unknown): string {
  if (textOf(value).includes('-----BEGIN'))
    throw new Error('its certificate-authority-data is PEM: it must be the base64 of the PEM text, as one word');
  return base64Text(value);
}

export const base64Text = (value: unknown): string => Buffer.from(textOf(value), 'base64').toString('utf8');

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not a mapping`);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): Record<string, unknown>[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value.map((entry) => record(entry, `an entry of ${what}`));
}
