/** A configuration to start from. Source: `kubeadm config print join-defaults`, and the defaults of v1beta4. */
import { paths } from '../node/index.ts';
import { apiVersionOf, kindOf, LATEST } from './versions.ts';

const PLACEHOLDER_TOKEN = 'abcdef.0123456789abcdef';

/**
 * API server and tokens are placeholders. CA verification is skipped, because the file would not be valid without pins
 * or this. Users replace both.
 */
export const defaultConfiguration = (nodeName: string): object => ({
  apiVersion: apiVersionOf(LATEST),
  kind: kindOf(LATEST),
  discovery: {
    bootstrapToken: {
      apiServerEndpoint: 'kube-apiserver:6443',
      token: PLACEHOLDER_TOKEN,
      unsafeSkipCAVerification: true,
    },
    tlsBootstrapToken: PLACEHOLDER_TOKEN,
  },
  nodeRegistration: {
    name: nodeName,
    criSocket: 'unix:///var/run/containerd/containerd.sock',
    taints: null,
    imagePullPolicy: 'IfNotPresent',
    imagePullSerial: true,
  },
  caCertPath: paths.caCert,
  timeouts: {
    controlPlaneComponentHealthCheck: '4m0s',
    discovery: '5m0s',
    etcdAPICall: '2m0s',
    kubeletHealthCheck: '4m0s',
    kubernetesAPICall: '1m0s',
    tlsBootstrap: '5m0s',
    upgradeManifests: '5m0s',
  },
});
