/** The end of the TLS bootstrap, whoever has sent the request: the kubelet holds its certificate, and needs nobody's token any more. */
import { nodeCertificate, paths } from '../../engine/node/index.ts';
import { definePhase, fail, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubelet-wait-bootstrap',
  summary: "See the kubelet hold the node's certificate, and take away what it has asked for it with",
  input,
  output,
  effects: [writes(paths.bootstrapKubeletConf, undefined, 'in mode kubelet: removed, with the token in it')],

  async run({ files, clock, log, signal }, { nodeName, tlsBootstrapMode }) {
    const usable = (pem: Buffer | undefined) => {
      const held = nodeCertificate(pem);
      return held !== undefined && held.nodeName === nodeName && held.notAfter > clock.now() ? held : undefined;
    };
    const waited = async () => {
      // A kubelet that rotates writes its kubeconfig before there is a certificate, an older one afterwards.
      const pem = await files.waitFor(paths.kubeletCurrentPem, (content) => usable(content) !== undefined);
      await files.waitFor(paths.kubeletConf, (content) => content !== undefined);
      return usable(pem);
    };
    const held = await waited().catch((error: unknown) => {
      throw signal.aborted ? fail('E_KUBELET_BOOTSTRAP', { node: nodeName }, error) : error;
    });
    if (held === undefined) throw fail('E_KUBELET_BOOTSTRAP', { node: nodeName }); // it has expired in this moment
    if (tlsBootstrapMode === 'kubelet') {
      log.info(`the kubelet has its certificate, until ${held.notAfter.toISOString().slice(0, 10)}`);
      await files.remove(paths.bootstrapKubeletConf);
    }
    return { certificate: held.certificate, key: held.key };
  },
});
