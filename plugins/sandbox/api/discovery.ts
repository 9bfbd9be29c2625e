/** The discovery documents of the API: version, groups and resources. */
import type { Json } from '../objects.ts';
import { apiVersionOf, type Resource, resources, type ServedVersions, versionsOf } from './resources.ts';

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const CORE = { group: '', version: 'v1' };

const groupNames = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== '');

export const discoveryPaths = (served: ServedVersions): string[] => [
  '/api',
  '/api/v1',
  '/apis',
  '/healthz',
  '/livez',
  '/readyz',
  '/version',
  ...groupNames.flatMap((group) => [
    `/apis/${group}`,
    ...versionsOf(served, group).map((version) => `/apis/${group}/${version}`),
  ]),
];

/** The document at that path, or undefined. */
export function discoveryAt(
  path: string,
  gitVersion: string,
  server: string,
  served: ServedVersions,
): Json | undefined {
  if (path === '/version' || path === '/version/') return versionInfo(gitVersion);
  if (path === '/api')
    return {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: server }],
    };
  if (path === '/apis')
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames.map((group) => groupOf(served, group)) };
  if (path === '/api/v1') return resourceList(CORE);
  const [, group = '', version = ''] = /^\/apis\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (!groupNames.includes(group)) return undefined;
  if (version === '') return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(served, group) };
  return versionsOf(served, group).includes(version) ? resourceList({ group, version }) : undefined;
}

function versionInfo(gitVersion: string): Json {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    gitVersion,
    gitCommit: '0000000000000000000000000000000000000000',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none: the Joinery sandbox, a test double',
    compiler: 'none',
    platform: 'linux/amd64',
  };
}

function groupOf(served: ServedVersions, name: string): Json {
  const versions = versionsOf(served, name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

const resourceList = (groupVersion: Pick<Resource, 'group' | 'version'>): Json => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: apiVersionOf(groupVersion),
  resources: resources.filter(({ group }) => group === groupVersion.group).flatMap(entries),
});

function entries({ plural, kind, namespaced, subresources, shortNames, stored }: Resource): Json[] {
  const common = { singularName: '', namespaced, kind };
  return [
    { name: plural, ...common, singularName: kind.toLowerCase(), verbs: stored ? VERBS : ['create'], shortNames },
    ...subresources.map((part) => ({ name: `${plural}/${part}`, ...common, verbs: ['get', 'patch', 'update'] })),
  ];
}
