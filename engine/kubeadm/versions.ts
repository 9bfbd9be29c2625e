/** The versions of kubeadm's configuration for joining, and the schema of each. */
import v1alpha1 from '../../schemas/kubeadm/v1alpha1.NodeConfiguration.schema.json' with { type: 'json' };
import v1alpha2 from '../../schemas/kubeadm/v1alpha2.NodeConfiguration.schema.json' with { type: 'json' };
import v1alpha3 from '../../schemas/kubeadm/v1alpha3.JoinConfiguration.schema.json' with { type: 'json' };
import v1beta1 from '../../schemas/kubeadm/v1beta1.JoinConfiguration.schema.json' with { type: 'json' };
import v1beta2 from '../../schemas/kubeadm/v1beta2.JoinConfiguration.schema.json' with { type: 'json' };
import v1beta3 from '../../schemas/kubeadm/v1beta3.JoinConfiguration.schema.json' with { type: 'json' };
import v1beta4 from '../../schemas/kubeadm/v1beta4.JoinConfiguration.schema.json' with { type: 'json' };
import type { Schema } from '../sdk/index.ts';

/** Oldest first. */
export const VERSIONS = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1beta1', 'v1beta2', 'v1beta3', 'v1beta4'] as const;
export type Version = (typeof VERSIONS)[number];
export type Kind = 'NodeConfiguration' | 'JoinConfiguration';
export const LATEST = 'v1beta4';

export const GROUP = 'kubeadm.k8s.io';
export const apiVersionOf = (version: Version): string => `${GROUP}/${version}`;
export const kindOf = (version: Version): Kind => schemas[version].properties.kind.const;

type ConfigurationSchema = Schema & { properties: { kind: { const: Kind } } };
// The compiler widens the string literals of a JSON file to `string`.
export const schemas = { v1alpha1, v1alpha2, v1alpha3, v1beta1, v1beta2, v1beta3, v1beta4 } as unknown as Record<
  Version,
  ConfigurationSchema
>;
