/** Migrations, and what a configuration means before and after one. */
import { loadJoinConfiguration, type Migration, migrateConfiguration } from '../../../engine/kubeadm/index.ts';
import { meaningOf } from '../../helpers/kubeadm.ts';

export const migrate = (text: string, lenient = false) => migrateConfiguration('old.yaml', text, { lenient });
export const changesOf = ({ changes }: Migration): string[] =>
  changes.map(({ field, lost, why }) => `${field} is ${lost ? 'lost' : 'changed'}: ${why}`);
export const meaning = (text: string, lenient = false) =>
  meaningOf(loadJoinConfiguration('x.yaml', text, { lenient }).settings);

/** What a file says, without what its migration tells to be lost. */
export function meaningLeft(text: string, { changes }: Migration, lenient = false): object {
  const lost = changes.filter((change) => change.lost).map(({ field }) => field);
  const settings = meaning(text, lenient);
  const { discovery } = settings as { discovery: { apiServers?: string[] } };
  return {
    ...settings,
    ...(lost.includes('clusterName') ? { clusterName: undefined } : {}),
    ...(lost.includes('featureGates') ? { featureGates: {} } : {}),
    ...(lost.includes('discoveryTokenAPIServers') && discovery.apiServers !== undefined
      ? { discovery: { ...discovery, apiServers: discovery.apiServers.slice(0, 1) } }
      : {}),
  };
}
