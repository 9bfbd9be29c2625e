/** Settings with which the cluster's kubelet configuration opens the kubelet of every node to the network. */

/** One sentence for each. Absent settings are safe: their defaults in a configuration file are Webhook, false and 0. */
export function openingsIn(configuration: Record<string, unknown>): string[] {
  const { authorization, authentication, readOnlyPort } = configuration;
  const { anonymous } = mapping(authentication);
  const found: string[] = [];
  if (mapping(authorization).mode === 'AlwaysAllow')
    found.push('authorization.mode is AlwaysAllow: every authenticated client may run commands in the Pods of a node');
  if (mapping(anonymous).enabled === true)
    found.push('authentication.anonymous.enabled is true: the kubelet accepts requests without credentials');
  if (typeof readOnlyPort === 'number' && readOnlyPort > 0)
    found.push(`readOnlyPort is ${readOnlyPort}: everyone who reaches it can read what runs on a node`);
  return found;
}

const mapping = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
