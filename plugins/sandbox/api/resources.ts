/** The resources of the sandbox: one table for routes, discovery and kinds. */

export interface Resource {
  group: string;
  version: string;
  /** Name in URLs and in RBAC rules. */
  plural: string;
  kind: string;
  namespaced: boolean;
  subresources: readonly string[];
  shortNames: readonly string[];
  /** False for reviews, which are answered and not stored. */
  stored: boolean;
}

type Traits = Partial<Pick<Resource, 'namespaced' | 'subresources' | 'shortNames' | 'stored'>>;

const resource = (group: string, plural: string, kind: string, traits: Traits = {}): Resource => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced: false,
  subresources: [],
  shortNames: [],
  stored: true,
  ...traits,
});

const RBAC = 'rbac.authorization.k8s.io';
const namespaced = true;

export const CSR = 'certificatesigningrequests';
export const CSR_GROUP = 'certificates.k8s.io';

export const resources: readonly Resource[] = [
  resource('', 'namespaces', 'Namespace', { shortNames: ['ns'] }),
  resource('', 'nodes', 'Node', { subresources: ['status'], shortNames: ['no'] }),
  resource('', 'configmaps', 'ConfigMap', { namespaced, shortNames: ['cm'] }),
  resource('', 'secrets', 'Secret', { namespaced }),
  resource('', 'pods', 'Pod', { namespaced, subresources: ['status'], shortNames: ['po'] }),
  resource('', 'events', 'Event', { namespaced, shortNames: ['ev'] }),
  resource(CSR_GROUP, CSR, 'CertificateSigningRequest', { subresources: ['approval', 'status'], shortNames: ['csr'] }),
  resource('coordination.k8s.io', 'leases', 'Lease', { namespaced }),
  resource('authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', { stored: false }),
  resource('authorization.k8s.io', 'subjectaccessreviews', 'SubjectAccessReview', { stored: false }),
  resource(RBAC, 'clusterroles', 'ClusterRole'),
  resource(RBAC, 'clusterrolebindings', 'ClusterRoleBinding'),
  resource(RBAC, 'roles', 'Role', { namespaced }),
  resource(RBAC, 'rolebindings', 'RoleBinding', { namespaced }),
];

export const apiVersionOf = ({ group, version }: Pick<Resource, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;

/** Group → versions, for groups that do not have v1 alone. */
export type ServedVersions = Readonly<Record<string, readonly string[]>>;

export const versionsOf = (served: ServedVersions, group: string): readonly string[] => served[group] ?? ['v1'];

/** The resource in the requested version. All versions share the same objects. */
export function findResource(
  served: ServedVersions,
  group: string,
  version: string,
  plural: string,
): Resource | undefined {
  const found = resources.find((entry) => entry.group === group && entry.plural === plural);
  return found !== undefined && versionsOf(served, group).includes(version) ? { ...found, version } : undefined;
}

/** The resource of that plural name. An unknown name is a bug of the caller. */
export function resourceNamed(plural: string): Resource {
  const found = resources.find((entry) => entry.plural === plural);
  if (found === undefined) throw new TypeError(`the sandbox has no resource ${plural}`);
  return found;
}
