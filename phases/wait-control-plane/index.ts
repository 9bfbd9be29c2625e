/** Waits for the components of this control plane. Source: kubeadm, util/apiclient WaitForControlPlaneComponents. */
import { adminIdentity, apiUrl, readManifest } from '../../engine/node/index.ts';
import { bytesOfAddress, textOfAddress } from '../../engine/pki/index.ts';
import { definePhase, type Files } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

/** Nothing secret is sent to them. */
const PORTS = { 'kube-controller-manager': 10_257, 'kube-scheduler': 10_259 };
const LOOPBACK = '127.0.0.1';
/** They stand for all addresses of this machine. */
const ANY: Record<string, string> = { '0.0.0.0': LOOPBACK, '::': '::1' };

export default definePhase({
  name: 'wait-control-plane',
  summary: 'Wait for the API server, the controller manager and the scheduler of this machine',
  input,
  output,
  effects: [],

  async run({ files, services, kube, log }, { advertiseAddress, bindPort }) {
    const admin = await adminIdentity(files);
    const server = apiUrl(advertiseAddress, bindPort);
    // The kubelet starts all three, and also asks without credentials, so its last error is the best reason for a wait
    // that ends.
    const programs: [program: string, url: string][] = [['kube-apiserver', `${server}/livez`]];
    for (const [component, port] of Object.entries(PORTS))
      programs.push([component, `${await addressOf(files, component, port)}/healthz`]);
    await Promise.all(programs.map(([program, url]) => services.waitHealthy('kubelet', url, program)));
    const version = await kube.as({ ...admin, server }).serverVersion();
    log.info(`the API server of this machine answers the administrator (${version})`);
    return {};
  },
});

/** Where the manifest lets the component listen. */
async function addressOf(files: Files, component: string, defaultPort: number): Promise<string> {
  const values = (await readManifest(files, component))?.values;
  const bytes = bytesOfAddress(values?.get('bind-address') ?? LOOPBACK);
  const address = bytes === undefined ? LOOPBACK : textOfAddress(bytes);
  return apiUrl(ANY[address] ?? address, Number(values?.get('secure-port')) || defaultPort);
}
