/** Writes the node's identity exactly as the kubelet would after its own bootstrap. */

import { holds, kubeletIdentity, paths, readServerAddress } from '../../engine/node/index.ts';
import { certificatesPem, privateKeyPem, readCertificates } from '../../engine/pki/index.ts';
import {
  controls,
  type DesiredPath,
  definePhase,
  goYaml,
  installFiles,
  Secret,
  writes,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubeconfig',
  summary: "Write the node's identity: kubelet.conf and the client certificate",
  input,
  output,
  effects: [
    controls('kubelet', ['stop'], 'it must not start with incomplete files'),
    writes(paths.kubelet, 0o700, "the kubelet's directory"),
    writes(paths.kubeletPki, 0o755, "the kubelet's certificates"),
    writes(`${paths.kubeletPki}/kubelet-client-*.pem`, 0o600, 'certificate and key'),
    writes(paths.kubeletCurrentPem, undefined, 'a link to it, which the kubelet updates on rotation'),
    writes(paths.kubeletConf, 0o600, "the kubelet's kubeconfig"),
  ],

  async run({ files, services, log }, { server, ca, certificate, key, kubeletVersion }) {
    if (certificate === undefined || key === undefined) {
      log.info('nothing to do: the kubelet requests and writes its own certificate');
      return {};
    }
    const wanted: DesiredPath[] = [];
    const held = await kubeletIdentity(files);
    const [certificates, keyPem] = [certificatesPem(certificate), privateKeyPem(key.reveal())];
    // The name depends on the certificate alone, so a resumed run does not write the same identity under a second name.
    const pemFile = `${paths.kubeletPki}/kubelet-client-${stampOf(certificates)}.pem`;
    // The same identity may exist under another name (the kubelet's own). Writing it again would be a change on every
    // run.
    if (held?.certificate !== certificates || held.key.reveal() !== keyPem)
      wanted.push(
        { path: paths.kubelet, directory: 0o700 },
        { path: paths.kubeletPki, directory: 0o755 },
        { path: pemFile, content: new Secret(`${certificates}${keyPem}`), mode: 0o600 },
        { path: paths.kubeletCurrentPem, link: pemFile },
      );
    wanted.push({ path: paths.kubeletConf, content: kubeletConf(server, ca, kubeletVersion), mode: 0o600 });
    await installFiles('kubelet', { files, services }, wanted);
    return {};
  },
});

/** Start of the certificate's validity, as the kubelet names its files: `2006-01-02-15-04-05` in local time. */
function stampOf(certificate: string): string {
  const [leaf] = readCertificates(certificate);
  const since = leaf?.notBefore ?? new Date(0);
  const two = (number: number) => String(number).padStart(2, '0');
  const date = [since.getFullYear(), two(since.getMonth() + 1), two(since.getDate())];
  return [...date, two(since.getHours()), two(since.getMinutes()), two(since.getSeconds())].join('-');
}

/** The same bytes that client-go of that release writes after the kubelet's bootstrap: sorted keys and fixed names. */
function kubeletConf(server: string, ca: string, kubeletVersion: string | undefined): string {
  const document = {
    apiVersion: 'v1',
    clusters: [
      {
        cluster: {
          'certificate-authority-data': Buffer.from(certificatesPem(ca)).toString('base64'),
          server: readServerAddress(server),
        },
        name: 'default-cluster',
      },
    ],
    contexts: [
      {
        context: { cluster: 'default-cluster', namespace: 'default', user: 'default-auth' },
        name: 'default-context',
      },
    ],
    'current-context': 'default-context',
    kind: 'Config',
    ...(holds('noPreferences', kubeletVersion) ? {} : { preferences: {} }),
    users: [
      {
        name: 'default-auth',
        user: { 'client-certificate': paths.kubeletCurrentPem, 'client-key': paths.kubeletCurrentPem },
      },
    ],
  };
  return goYaml(document);
}
