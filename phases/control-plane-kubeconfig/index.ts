/** Writes the kubeconfigs of an administrator and of two components. Source: kubeadm, phases/kubeconfig. */
import {
  type Authority,
  apiUrl,
  type ControlPlaneSettings,
  clusterInUse,
  controlPlaneSettings,
  holds,
  issuedPair,
  type Pair,
  paths,
  readAuthority,
  readKubeconfig,
} from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { definePhase, type Files, fail, goYaml, type Log, Secret, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

interface Client {
  path: string;
  commonName: string;
  organizations: string[];
  server: string;
}

export default definePhase({
  name: 'control-plane-kubeconfig',
  summary: 'Write the kubeconfigs of the administrator, the controller manager and the scheduler',
  input,
  output,
  effects: [
    writes(paths.adminConf, 0o600, 'kubeconfig of an administrator'),
    writes(paths.controllerManagerConf, 0o600, 'kubeconfig of the controller manager'),
    writes(paths.schedulerConf, 0o600, 'kubeconfig of the scheduler'),
  ],

  async run(ports, { certificatesDir, clusterConfiguration, advertiseAddress, bindPort }) {
    const { files, log } = ports;
    const settings = controlPlaneSettings(clusterConfiguration);
    const authority = await readAuthority(files, certificatesDir, 'ca').catch((error: Error) => {
      throw fail('E_CONTROL_PLANE_CERTIFICATES', { problems: [error.message] }, error);
    });
    const { key } = authority;
    if (key === undefined) {
      log.info(`without ${certificatesDir}/ca.key, no kubeconfig can be made: they have to be brought along`);
      return {};
    }
    const missing: Client[] = [];
    for (const client of clientsOf(settings, apiUrl(advertiseAddress, bindPort)))
      if (!(await isKept({ files, log }, client, authority))) missing.push(client);
    const pairs = await Promise.all(
      missing.map(({ path, commonName, organizations }) =>
        issuedPair(ports, { ...authority, key }, path, {
          subject: { commonName, organizations },
          use: 'client',
          notBefore: authority.certificate.notBefore,
          algorithm: settings.keyAlgorithm,
          validityMs: settings.certificateValidityMs,
        }),
      ),
    );
    for (const [index, client] of missing.entries()) {
      const { certificate, key } = pairs[index] as Pair;
      const text = kubeconfigText(settings, client, authority, { certificate, key: key.reveal() });
      await files.write(client.path, new Secret(text), 0o600);
    }
    return {};
  },
});

function clientsOf({ version, endpoint }: ControlPlaneSettings, local: string): Client[] {
  const admins = holds('adminGroup', version) ? 'kubeadm:cluster-admins' : 'system:masters';
  return [
    {
      path: paths.adminConf,
      commonName: 'kubernetes-admin',
      organizations: [admins],
      server: `https://${endpoint}`,
    },
    {
      path: paths.controllerManagerConf,
      commonName: 'system:kube-controller-manager',
      organizations: [],
      server: local,
    },
    { path: paths.schedulerConf, commonName: 'system:kube-scheduler', organizations: [], server: local },
  ];
}

/** Whether a file is there that trusts the cluster's CA. Throws E_CONTROL_PLANE_CERTIFICATES if it trusts another. */
async function isKept(
  { files, log }: { files: Files; log: Log },
  { path, server }: Client,
  { certificate }: Authority,
): Promise<boolean> {
  const text = (await files.read(path))?.toString('utf8');
  if (text === undefined) return false;
  let cluster: ReturnType<typeof clusterInUse>;
  try {
    cluster = clusterInUse(readKubeconfig(text));
    if (readCertificates(cluster?.ca ?? '')[0]?.pem !== certificate.pem)
      throw new Error('it trusts another CA than the cluster has');
  } catch (error) {
    throw fail('E_CONTROL_PLANE_CERTIFICATES', { problems: [`${path}: ${(error as Error).message}`] }, error);
  }
  if (cluster?.server !== server) log.warn(`${path} is kept, although its server is not ${server}`);
  return true;
}

/** The bytes of client-go: sorted keys, and data in base64. */
function kubeconfigText(
  { clusterName, version }: ControlPlaneSettings,
  { commonName, server }: Client,
  { certificate: ca }: Authority,
  pair: { certificate: string; key: string },
): string {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  const context = `${commonName}@${clusterName}`;
  return goYaml({
    apiVersion: 'v1',
    clusters: [{ cluster: { 'certificate-authority-data': base64(ca.pem), server }, name: clusterName }],
    contexts: [{ context: { cluster: clusterName, user: commonName }, name: context }],
    'current-context': context,
    kind: 'Config',
    ...(holds('noPreferences', version) ? {} : { preferences: {} }),
    users: [
      {
        name: commonName,
        user: { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) },
      },
    ],
  });
}
