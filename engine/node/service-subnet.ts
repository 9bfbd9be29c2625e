/** Addresses in the cluster's service subnet. Source: kubeadm, constants.GetDNSIP and GetAPIServerVirtualIP. */
import { bytesOfAddress, textOfAddress } from '../pki/index.ts';

const API_INDEX = 1n;
const DNS_INDEX = 10n;
const DEFAULT_DNS = '10.96.0.10';

/** The address of the cluster's DNS service: the tenth of the first subnet, or kubeadm's default if it has none. */
export const dnsAddress = (subnets = ''): string => addressIn(subnets, DNS_INDEX) ?? DEFAULT_DNS;

/** The address of the service `kubernetes`: the first of the first subnet. Undefined if that is not a subnet. */
export const apiAddress = (subnets: string): string | undefined => addressIn(subnets, API_INDEX);

function addressIn(subnets: string, index: bigint): string | undefined {
  const [, host = '', length = ''] = /^([^/]*)\/(\d{1,3})$/.exec(subnets.split(',')[0]?.trim() ?? '') ?? [];
  const bytes = bytesOfAddress(host);
  if (bytes === undefined || Number(length) > bytes.length * 8) return undefined;
  const hostBits = BigInt(bytes.length * 8 - Number(length));
  if (1n << hostBits <= index) return undefined;
  const network = (BigInt(`0x${bytes.toString('hex')}`) >> hostBits) << hostBits;
  return textOfAddress(Buffer.from((network + index).toString(16).padStart(bytes.length * 2, '0'), 'hex'));
}
