/** Determines where this control plane's API server is reached. Source: kubeadm, SetAPIEndpointDynamicDefaults. */
import {
  apiUrl,
  type ControlPlaneSettings,
  controlPlaneSettings,
  defaultAddress,
  holds,
  isGlobal,
  isLoopback,
  ownAddresses,
} from '../../engine/node/index.ts';
import { bytesOfAddress, textOfAddress } from '../../engine/pki/index.ts';
import { definePhase, type Files, fail } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

/** They stand for an address that has to be found. */
const ANY = ['0.0.0.0', '::'];

export default definePhase({
  name: 'local-api-endpoint',
  summary: "Determine the address of this control plane's API server",
  input,
  output,
  effects: [],

  async run({ files, log }, { clusterConfiguration, server, apiserverAdvertiseAddress, apiserverBindPort }) {
    const settings = controlPlaneSettings(clusterConfiguration);
    const { version, certificatesDir } = settings;
    const advertiseAddress = await addressOf(files, apiserverAdvertiseAddress, settings);
    assertSameFamily(settings, advertiseAddress);
    if ('local' in settings.etcd) await assertOwn(files, advertiseAddress);
    const local = apiUrl(advertiseAddress, apiserverBindPort);
    log.info(`the API server of this machine will be ${local}`);
    const kubeletServer = holds('kubeletUsesLocalApi', version) ? local : server;
    return { advertiseAddress, bindPort: apiserverBindPort, certificatesDir, kubeletServer };
  },
});

/** kubeadm does not check it, and the API server does not start. Source: kube-apiserver, the check of its options. */
function assertSameFamily({ serviceSubnet, apiServer }: ControlPlaneSettings, address: string): void {
  if (apiServer.extraArgs.some(({ name }) => name === 'endpoint-reconciler-type')) return; // `none` needs no match
  const [subnet = ''] = serviceSubnet.split(',');
  if (subnet.includes(':') === address.includes(':')) return;
  const because = `the first subnet of Services, ${subnet}, is of the other IP family`;
  throw fail('E_ADVERTISE_ADDRESS', { what: `the API server does not start at ${address}, because ${because}` });
}

/** kubeadm does not check it, and etcd, which listens at this address, does not start. */
async function assertOwn(files: Files, address: string): Promise<void> {
  const own = await ownAddresses(files);
  if (own.length === 0 || own.includes(address)) return;
  const there = own.filter(isGlobal).join(', ') || 'none that others can reach';
  throw fail('E_ADVERTISE_ADDRESS', {
    what: `etcd would listen at ${address}, and this machine has other addresses (${there})`,
  });
}

/** Machines of a cluster whose own endpoint is a loopback address, such as a sandbox, are one computer. */
async function addressOf(
  files: Files,
  typed: string | undefined,
  { endpointHost }: ControlPlaneSettings,
): Promise<string> {
  const bytes = typed === undefined ? undefined : bytesOfAddress(typed);
  if (typed !== undefined && bytes === undefined)
    throw fail('E_ADVERTISE_ADDRESS', { what: `${typed} is not an IP address` });
  const wanted = bytes === undefined ? undefined : textOfAddress(bytes);
  const address = wanted === undefined || ANY.includes(wanted) ? await defaultAddress(files) : wanted;
  if (address === undefined)
    throw fail('E_ADVERTISE_ADDRESS', { what: 'this machine has no address on an interface with a default route' });
  if (!isGlobal(address) && !(isLoopback(address) && isLoopback(endpointHost)))
    throw fail('E_ADVERTISE_ADDRESS', { what: `other machines cannot reach this one at ${address}` });
  return address;
}
