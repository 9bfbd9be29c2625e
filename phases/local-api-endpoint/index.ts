/** Determines where this control plane's API server is reached. Source: kubeadm, SetAPIEndpointDynamicDefaults. */
import { apiUrl, controlPlaneSettings, defaultAddress, holds, isGlobal } from '../../engine/node/index.ts';
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
    const { version, certificatesDir } = controlPlaneSettings(clusterConfiguration);
    const advertiseAddress = await addressOf(files, apiserverAdvertiseAddress);
    const local = apiUrl(advertiseAddress, apiserverBindPort);
    log.info(`the API server of this machine will be ${local}`);
    const kubeletServer = holds('kubeletUsesLocalApi', version) ? local : server;
    return { advertiseAddress, bindPort: apiserverBindPort, certificatesDir, kubeletServer };
  },
});

async function addressOf(files: Files, typed: string | undefined): Promise<string> {
  const bytes = typed === undefined ? undefined : bytesOfAddress(typed);
  if (typed !== undefined && bytes === undefined)
    throw fail('E_ADVERTISE_ADDRESS', { what: `${typed} is not an IP address` });
  const wanted = bytes === undefined ? undefined : textOfAddress(bytes);
  const address = wanted === undefined || ANY.includes(wanted) ? await defaultAddress(files) : wanted;
  if (address === undefined)
    throw fail('E_ADVERTISE_ADDRESS', { what: 'this machine has no address on an interface with a default route' });
  if (!isGlobal(address))
    throw fail('E_ADVERTISE_ADDRESS', { what: `other machines cannot reach this one at ${address}` });
  return address;
}
