/** Downloads the CAs and keys that all control planes share. Source: kubeadm, phases/copycerts. */
import {
  controlPlaneSettings,
  joiningIdentity,
  SHARED_FILES,
  type SharedFile,
  sharedFiles,
} from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import {
  apiCalls,
  definePhase,
  fail,
  type KubeApi,
  type KubeObject,
  type Secret,
  writes,
} from '../../engine/sdk/index.ts';
import { checkedFiles } from './checked-files.ts';
import { input, output } from './schema.ts';

const SECRET = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system', name: 'kubeadm-certs' };

interface SecretObject extends KubeObject {
  data?: Record<string, unknown>;
}

export default definePhase({
  name: 'download-certs',
  summary: 'Download the CAs and keys that all control planes of the cluster share',
  input,
  output,
  effects: [
    apiCalls(['get'], 'secrets', 'the encrypted certificates in kubeadm-certs'),
    ...SHARED_FILES.map(({ path, mode, why }) => writes(path, mode, why)),
  ],

  async run({ files, kube, log }, { identity, certificateKey, certificatesDir, clusterConfiguration }) {
    if (certificateKey === undefined) {
      log.info('nothing to do: without a certificate key, the certificates on this machine are used');
      return {};
    }
    const wanted = sharedFiles(controlPlaneSettings(clusterConfiguration), certificatesDir);
    const sealed = await sealedFiles(kube.as(joiningIdentity(identity)), wanted);
    const opened = checkedFiles(sealed, certificateKey as Secret);
    assertSameCa(opened.get('ca.crt')?.reveal() ?? '', identity.ca);
    for (const { dataKey, path, mode } of wanted) {
      const content = opened.get(dataKey);
      if (content === undefined) log.info(`${dataKey} was not uploaded: ${path} has to be brought along`);
      // Certificates are public; their content stays readable in the plan.
      else await files.write(path, dataKey.endsWith('.key') ? content : content.reveal(), mode);
    }
    return {};
  },
});

/** The encrypted content by data key; undefined for a file that did not exist where the others came from. */
async function sealedFiles(api: KubeApi, wanted: readonly SharedFile[]): Promise<Map<string, Buffer | undefined>> {
  const secret = await api.get<SecretObject>(SECRET);
  if (secret === undefined) throw fail('E_CERTS_SECRET', { what: 'it does not exist, or no longer' });
  const data = secret.data ?? {};
  const lacking = wanted.filter(({ dataKey }) => typeof data[dataKey] !== 'string').map(({ dataKey }) => dataKey);
  if (lacking.length > 0) throw fail('E_CERTS_SECRET', { what: `it has no ${lacking.join(', ')}` });
  return new Map(
    wanted.map(({ dataKey }) => {
      const content = Buffer.from(data[dataKey] as string, 'base64');
      return [dataKey, content.length === 0 ? undefined : content];
    }),
  );
}

/** kubeadm does not compare them: a node with another CA would get certificates that no other node accepts. */
function assertSameCa(downloaded: string, verified: string): void {
  const [ca] = readCertificates(downloaded);
  const trusted = readCertificates(verified);
  if (ca !== undefined && trusted.some(({ pem }) => pem === ca.pem)) return;
  throw fail('E_CERTS_CA', {
    place: 'Secret kube-system/kubeadm-certs',
    found: ca?.pin ?? 'no certificate',
    verified: trusted.map(({ pin }) => pin),
  });
}
