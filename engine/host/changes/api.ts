/** A change of an object in the cluster. The host sends it as a request, so this file only describes it. */

import type { ApiChange } from '../../sdk/api.ts';
import type { ApiVerb } from '../../sdk/effects.ts';
import type { Permissions } from '../ports/permissions.ts';
import type { DescribedKind } from './kind.ts';

export function checkApi(verb: ApiVerb, resource: string, permissions: Permissions): void {
  const isDeclared = permissions
    .effects('api')
    .some((effect) => permissions.fill(effect.resource) === resource && effect.verbs.includes(verb));
  permissions.require(isDeclared, `${verb} ${resource}`);
}

export const api: DescribedKind<ApiChange, never> = {
  subject: ({ resource, name }) => `${resource} ${name}`,
  text({ verb, resource, name, checked, why }) {
    const note = { sent: '', 'dry-run': ' (the server has checked it)', 'not-checked': ` (not checked: ${why})` };
    return `${verb} ${resource} ${name}${note[checked]}`;
  },
  whyItStays: ({ resource, name }) =>
    resource === 'leases'
      ? 'no machine holds it, and the next one uses it again'
      : `no identity on this machine may delete it. With an admin kubeconfig: kubectl delete ${resource} ${name}`,
};
