/** The administrator whose kubeconfig a control plane has. */
import { fail } from '../../sdk/errors.ts';
import type { Files, Identity } from '../../sdk/ports.ts';
import { Secret } from '../../sdk/secret.ts';
import { base64Text, clusterInUse, readKubeconfig } from '../kubeconfig.ts';
import { paths } from '../paths.ts';
import { readServerAddress } from '../server-address.ts';

/** The identity of admin.conf, which has its certificates embedded. Throws E_KUBECONFIG. */
export async function adminIdentity(files: Files): Promise<Identity> {
  const file = paths.adminConf;
  const text = (await files.read(file))?.toString('utf8');
  if (text === undefined) throw fail('E_KUBECONFIG', { file, what: 'it does not exist' });
  try {
    const kubeconfig = readKubeconfig(text);
    const cluster = clusterInUse(kubeconfig);
    const [{ user = {} } = {}] = kubeconfig.users;
    const [pem, key] = [base64Text(user['client-certificate-data']), base64Text(user['client-key-data'])];
    if (cluster === undefined) throw new Error('it has no cluster');
    if (pem === '' || key === '') throw new Error('its user has no embedded client certificate');
    return { server: readServerAddress(cluster.server), ca: cluster.ca, certificate: { pem, key: new Secret(key) } };
  } catch (error) {
    throw fail('E_KUBECONFIG', { file, what: (error as Error).message }, error);
  }
}
