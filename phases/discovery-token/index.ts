/** Discovery by a bootstrap token: a signature by the token, and a pinned CA key, prove who answers. Writes nothing. */

import { assertClock, readClusterInfo } from '../../engine/node/index.ts';
import { isSignedBy } from '../../engine/pki/index.ts';
import { apiCalls, definePhase, fail } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'discovery-token',
  summary: 'Trust the cluster through a bootstrap token and pinned CA keys',
  input,
  output,
  effects: [apiCalls(['get'], 'configmaps', 'cluster-info, without credentials')],

  async run({ kube, log }, given) {
    const endpoint = `https://${given.endpoint}`;
    if (!URL.canParse(endpoint)) throw fail('E_INPUT', { problems: [`${given.endpoint} is no address`] });
    const token = given.discoveryToken ?? given.token;
    if (token === undefined) throw new TypeError('the schema asks for a token');
    const [tokenId = '', secret = ''] = token.reveal().split('.'); // the id is public

    // Nothing in `claim` is believed before both proofs hold: anyone may have answered.
    const claim = await kube.clusterInfo(endpoint, 'unverified');
    assertClock(endpoint, claim.clockSkewMs);
    const kubeconfig = claim.data.kubeconfig;
    if (kubeconfig === undefined || kubeconfig === '')
      throw fail('E_CLUSTER_INFO_INVALID', { server: endpoint, what: 'it has no key kubeconfig' });
    const signature = claim.data[`jws-kubeconfig-${tokenId}`];
    if (signature === undefined || signature === '') throw fail('E_TOKEN_UNKNOWN', { server: endpoint, tokenId });
    if (!isSignedBy(signature, kubeconfig, tokenId, secret))
      throw fail('E_CLUSTER_INFO_SIGNATURE', { server: endpoint, tokenId });
    const { server, ca, certificates } = readClusterInfo(kubeconfig, endpoint);
    log.info(`cluster-info of ${given.endpoint} is signed by token ${tokenId}`);

    const pins = (given.discoveryTokenCaCertHash ?? []).map((pin) => pin.toLowerCase());
    if (pins.length === 0) {
      log.warn('the CA is not pinned: whoever knows the token could have posed as the cluster');
    } else {
      const pinned = certificates.filter(({ pin }) => pins.includes(pin));
      if (pinned.length === 0)
        throw fail('E_CA_PIN_MISMATCH', { server: endpoint, pinned: pins, seen: certificates.map(({ pin }) => pin) });
      // Only the pinned certificates: a token holder on the path can sign a bundle of the real CA and his own.
      const proven = await kube.clusterInfo(endpoint, { ca: pinned.map(({ pem }) => pem).join('') });
      if (proven.data.kubeconfig !== kubeconfig) throw fail('E_CLUSTER_INFO_CHANGED', { server: endpoint });
      log.info(`its CA has the pinned key ${pinned.map(({ pin }) => pin).join(', ')}`);
    }
    log.info(`the cluster's API server is ${server}`);
    return { server, ca, token: given.tlsBootstrapToken ?? given.token ?? token };
  },
});
