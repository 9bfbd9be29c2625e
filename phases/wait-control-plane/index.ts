/** Waits for the components of this control plane. Source: kubeadm, util/apiclient WaitForControlPlaneComponents. */
import { adminIdentity, apiUrl } from '../../engine/node/index.ts';
import { definePhase } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

/** They listen on this machine alone, and nothing secret is sent to them. */
const COMPONENTS = {
  'kube-controller-manager': 'https://127.0.0.1:10257/healthz',
  'kube-scheduler': 'https://127.0.0.1:10259/healthz',
};

export default definePhase({
  name: 'wait-control-plane',
  summary: 'Wait for the API server, the controller manager and the scheduler of this machine',
  input,
  output,
  effects: [],

  async run({ files, services, kube, log }, { advertiseAddress, bindPort }) {
    const admin = await adminIdentity(files);
    const server = apiUrl(advertiseAddress, bindPort);
    const version = await kube.as({ ...admin, server }).serverVersion();
    log.info(`the API server of this machine answers (${version})`);
    // It answers before it is ready. The kubelet starts all three, and also asks without credentials, so its last error
    // is the best reason for a wait that ends.
    const programs = Object.entries({ 'kube-apiserver': `${server}/livez`, ...COMPONENTS });
    await Promise.all(programs.map(([program, url]) => services.waitHealthy('kubelet', url, program)));
    return {};
  },
});
