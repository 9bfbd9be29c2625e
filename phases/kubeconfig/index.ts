/** The node's identity on disk, exactly as the kubelet would have left it after its own bootstrap. */

import { kubeletIdentity, paths } from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { controls, type DesiredPath, definePhase, installFiles, Secret, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubeconfig',
  summary: "Write the node's identity: kubelet.conf and its certificate",
  input,
  output,
  effects: [
    controls('kubelet', ['stop'], 'it must not start on half of its files'),
    writes(paths.kubelet, 0o700, "the kubelet's directory"),
    writes(paths.kubeletPki, 0o755, 'where the kubelet keeps its certificates'),
    writes(`${paths.kubeletPki}/kubelet-client-*.pem`, 0o600, 'certificate and key'),
    writes(paths.kubeletCurrentPem, undefined, 'a link to it, which the kubelet turns when it rotates'),
    writes(paths.kubeletConf, 0o600, 'how the kubelet reaches the cluster'),
  ],

  async run({ files, services, log }, { server, ca, certificate, key }) {
    if (certificate === undefined || key === undefined) {
      log.info('nothing to do: the kubelet will ask for its certificate, and write it itself');
      return {};
    }
    const wanted: DesiredPath[] = [];
    const held = await kubeletIdentity(files);
    // Named by what is in it: a run that goes on after a crash does not leave the same identity under two names.
    const pemFile = `${paths.kubeletPki}/kubelet-client-${stampOf(certificate)}.pem`;
    // The same identity under another name, the kubelet's own say, would be a change on every run.
    if (held?.certificate.trim() !== certificate.trim() || held.key.reveal().trim() !== key.reveal().trim())
      wanted.push(
        { path: paths.kubelet, directory: 0o700 },
        { path: paths.kubeletPki, directory: 0o755 },
        { path: pemFile, content: new Secret(`${certificate.trim()}\n${key.reveal().trim()}\n`), mode: 0o600 },
        { path: paths.kubeletCurrentPem, link: pemFile },
      );
    wanted.push({ path: paths.kubeletConf, content: kubeletConf(server, ca), mode: 0o600 });
    await installFiles('kubelet', { files, services }, wanted);
    return {};
  },
});

/** When the certificate begins to hold, in the form in which the kubelet names its files: `2006-01-02-15-04-05`, local time. */
function stampOf(certificate: string): string {
  const [leaf] = readCertificates(certificate);
  const since = leaf?.notBefore ?? new Date(0);
  const two = (number: number) => String(number).padStart(2, '0');
  const date = [since.getFullYear(), two(since.getMonth() + 1), two(since.getDate())];
  return [...date, two(since.getHours()), two(since.getMinutes()), two(since.getSeconds())].join('-');
}

/** Byte for byte what client-go writes after the kubelet's bootstrap: sorted keys, its fixed names. */
const kubeletConf = (server: string, ca: string): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(ca).toString('base64')}
    server: ${server}
  name: default-cluster
contexts:
- context:
    cluster: default-cluster
    namespace: default
    user: default-auth
  name: default-context
current-context: default-context
kind: Config
preferences: {}
users:
- name: default-auth
  user:
    client-certificate: ${paths.kubeletCurrentPem}
    client-key: ${paths.kubeletCurrentPem}
`;
