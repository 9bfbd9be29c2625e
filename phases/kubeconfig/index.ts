/** The node's identity on disk, exactly as the kubelet would have left it after its own bootstrap. */
import {
  controls,
  definePhase,
  installFor,
  kubeletIdentity,
  paths,
  Secret,
  type Wanted,
  writes,
} from '../../engine/sdk/index.ts';
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

  async run({ files, services, clock }, { server, ca, certificate, key }) {
    const wanted: Wanted[] = [];
    const held = await kubeletIdentity(files);
    const pemFile = `${paths.kubeletPki}/kubelet-client-${clock.stamp()}.pem`;
    // The same identity under a new date would be a change on every run.
    if (held?.certificate.trim() !== certificate.trim() || held.key.reveal().trim() !== key.reveal().trim())
      wanted.push(
        { path: paths.kubelet, directory: 0o700 },
        { path: paths.kubeletPki, directory: 0o755 },
        { path: pemFile, content: new Secret(`${certificate.trim()}\n${key.reveal().trim()}\n`), mode: 0o600 },
        { path: paths.kubeletCurrentPem, link: pemFile },
      );
    wanted.push({ path: paths.kubeletConf, content: kubeletConf(server, ca), mode: 0o600 });
    await installFor('kubelet', { files, services }, wanted);
    return {};
  },
});

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
