/** The end of the TLS bootstrap: the kubelet has its certificate and no longer needs bootstrap credentials. */
import { nodeCertificate, paths } from '../../engine/node/index.ts';
import { definePhase, fail, isTimeLimit, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubelet-wait-bootstrap',
  summary: "Wait for the kubelet's client certificate, then delete the bootstrap credentials",
  input,
  output,
  effects: [
    writes(paths.bootstrapKubeletConf, undefined, 'in mode kubelet: deleted, with the bootstrap credentials in it'),
  ],

  async run({ files, services, clock, log, signal }, { nodeName, tlsBootstrapMode }) {
    let held: ReturnType<typeof nodeCertificate>;
    const isUsable = () => held !== undefined && held.nodeName === nodeName && held.notAfter > clock.now();
    const waited = async () => {
      // A kubelet with certificate rotation writes its kubeconfig before it has a certificate; older kubelets write it
      // afterwards.
      await files.waitFor(paths.kubeletCurrentPem, (content) => {
        held = nodeCertificate(content);
        return isUsable();
      });
      await files.waitFor(paths.kubeletConf, (content) => content !== undefined);
    };
    const late = async (cause?: unknown) =>
      fail('E_KUBELET_BOOTSTRAP', { node: nodeName, lastLine: await services.lastError('kubelet') }, cause);
    await waited().catch(async (error: unknown) => {
      throw signal.aborted && isTimeLimit(signal.reason) ? await late(error) : error;
    });
    if (held === undefined || !isUsable()) throw await late(); // it expired after the wait
    if (tlsBootstrapMode === 'kubelet') {
      log.info(`the kubelet has its certificate, valid until ${held.notAfter.toISOString().slice(0, 10)}`);
      await files.remove(paths.bootstrapKubeletConf);
    }
    return { certificate: held.certificate, key: held.key };
  },
});
