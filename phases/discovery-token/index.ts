/**
 * Discovery through a bootstrap token: the token's signature and a pinned CA key verify the cluster. Writes nothing.
 */

import { assertClock, discovered, logProxy, readClusterInfo } from '../../engine/node/index.ts';
import { type Certificate, isSignedBy, shortKeysIn } from '../../engine/pki/index.ts';
import { apiCalls, clean, defined, definePhase, fail } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'discovery-token',
  summary: 'Find and verify the cluster through a bootstrap token and pinned CA keys',
  input,
  output,
  effects: [apiCalls(['get'], 'configmaps', 'cluster-info, without credentials')],

  async run({ kube, web, log }, inputs) {
    const endpoint = `https://${inputs.endpoint}`;
    if (!URL.canParse(endpoint)) throw fail('E_INPUT', { problems: [`${inputs.endpoint} is not a valid address`] });
    const token = inputs.discoveryToken ?? inputs.token;
    if (token === undefined) throw new TypeError('the schema requires a token');
    const [tokenId = '', secret = ''] = token.reveal().split('.'); // the id is public

    await logProxy(web, log, endpoint);
    // `claim` is not trusted until both checks pass: any server may have answered.
    const claim = await kube.clusterInfo(endpoint, 'unverified');
    assertClock(endpoint, claim.clockSkewMs);
    const kubeconfig = claim.data.kubeconfig;
    if (kubeconfig === undefined || kubeconfig === '')
      throw fail('E_CLUSTER_INFO_INVALID', { server: endpoint, what: 'it has no kubeconfig key' });
    const signature = claim.data[`jws-kubeconfig-${tokenId}`];
    if (signature === undefined || signature === '') throw fail('E_TOKEN_UNKNOWN', { server: endpoint, tokenId });
    if (!isSignedBy(signature, kubeconfig, tokenId, secret))
      throw fail('E_CLUSTER_INFO_SIGNATURE', { server: endpoint, tokenId });
    const { server, ca, certificates } = readClusterInfo(kubeconfig, endpoint);
    log.info(`the signature of token ${tokenId} on cluster-info from ${inputs.endpoint} is valid`);

    const pins = (inputs.discoveryTokenCaCertHash ?? []).map((pin) => pin.toLowerCase());
    if (pins.length === 0) {
      log.warn('the CA is not pinned: anyone who knows the token could pose as the cluster');
    } else {
      const pinned = certificates.filter(({ pin }) => pins.includes(pin));
      if (pinned.length === 0)
        throw fail('E_CA_PIN_MISMATCH', { server: endpoint, pinned: pins, seen: certificates.map(({ pin }) => pin) });
      // Trust the pinned certificates alone: an attacker with the token can sign a bundle of the real CA and their own.
      // The others may be intermediates that the server does not send: a pinned one has to have signed them.
      const others = certificates.filter((certificate) => !pinned.includes(certificate));
      const proven = await kube.clusterInfo(
        endpoint,
        defined({ ca: pemOf(pinned), intermediates: others.length === 0 ? undefined : pemOf(others) }),
      );
      if (proven.data.kubeconfig !== kubeconfig) throw fail('E_CLUSTER_INFO_CHANGED', { server: endpoint });
      log.info(`the CA matches the pinned key ${pinned.map(({ pin }) => pin).join(', ')}`);
    }
    for (const what of shortKeysIn(ca)) log.warn(clean(what));
    log.info(`the API server is ${server}`);
    return discovered({ server, ca, token: inputs.tlsBootstrapToken ?? inputs.token ?? token });
  },
});

const pemOf = (certificates: readonly Certificate[]): string => certificates.map(({ pem }) => pem).join('');
