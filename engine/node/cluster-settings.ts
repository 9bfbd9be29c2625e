/** What a cluster's ClusterConfiguration says about its nodes. */

export interface ClusterSettings {
  certificatesDir: string | undefined;
  imageRepository: string | undefined;
  /** One CIDR, or two that are separated by a comma. */
  serviceSubnet: string | undefined;
  dnsDomain: string | undefined;
  featureGates: Readonly<Record<string, unknown>>;
}

/** An empty field and one of a wrong type count as absent. */
export function clusterSettings(configuration: object | undefined): ClusterSettings {
  const root = mapping(configuration);
  const networking = mapping(root.networking);
  return {
    certificatesDir: text(root.certificatesDir),
    imageRepository: text(root.imageRepository),
    serviceSubnet: text(networking.serviceSubnet),
    dnsDomain: text(networking.dnsDomain),
    featureGates: mapping(root.featureGates),
  };
}

const mapping = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
