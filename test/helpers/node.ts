/** The files of a machine that has joined before. */
import { paths } from '../../engine/node/index.ts';

export const kubeletConf = (server: string, ca: string): string => `apiVersion: v1
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
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
`;

/** The files of an identity, as the kubelet keeps them. */
export const heldIdentity = (
  server: string,
  ca: string,
  { pem, keyPem }: { pem: string; keyPem: string },
): Record<string, string> => ({
  [paths.kubeletConf]: kubeletConf(server, ca),
  [paths.kubeletCurrentPem]: pem + keyPem,
});

/** A part of the base64 of a key, to find the key in outputs. */
export const glimpseOf = (keyPem: string): string => keyPem.split('\n')[1] ?? '';
