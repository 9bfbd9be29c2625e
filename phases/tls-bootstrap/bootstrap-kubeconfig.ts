/**
 * `bootstrap-kubelet.conf`, the kubelet's bootstrap credentials. Source: kubeadm, util/kubeconfig, through client-go.
 */
import { holds, readServerAddress } from '../../engine/node/index.ts';
import { certificatesPem } from '../../engine/pki/index.ts';
import { goYaml, type Identity, Secret } from '../../engine/sdk/index.ts';

const USER = 'tls-bootstrap-token-user';
const CONTEXT = `${USER}@kubernetes`;

/** The same bytes that kubeadm of the kubelet's release writes: sorted keys and fixed names. */
export function bootstrapKubeconfig(identity: Identity, kubeletVersion: string | undefined): Secret {
  const { server, ca, token, certificate } = identity;
  const user =
    certificate === undefined
      ? { token: token?.reveal() }
      : {
          'client-certificate-data': base64(certificatesPem(certificate.pem)),
          'client-key-data': base64(certificate.key.reveal()),
        };
  const document = {
    apiVersion: 'v1',
    clusters: [
      {
        cluster: { 'certificate-authority-data': base64(certificatesPem(ca)), server: readServerAddress(server) },
        name: 'kubernetes',
      },
    ],
    contexts: [{ context: { cluster: 'kubernetes', user: USER }, name: CONTEXT }],
    'current-context': CONTEXT,
    kind: 'Config',
    ...(holds('noPreferences', kubeletVersion) ? {} : { preferences: {} }),
    users: [{ name: USER, user }],
  };
  return new Secret(goYaml(document));
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
