/** Addresses in the cluster's service subnet. Source: kubeadm, constants.GetDNSIP. */
import { bytesOfAddress, textOfAddress } from '../pki/index.ts';

const DNS_INDEX = 10n;
const DEFAULT_DNS = '10.96.0.10';

/** The address of the cluster's DNS service: the tenth of the first subnet, or kubeadm's default if it has none. */
export function dnsAddress(subnets = ''): string {
  const [, host = '', length = ''] = /^([^/]*)\/(\d{1,3})$/.exec(subnets.split(',')[0]?.trim() ?? '') ?? [];
  const bytes = bytesOfAddress(host);
  if (bytes === undefined || Number(length) > bytes.length * 8) return DEFAULT_DNS;
  const hostBits = BigInt(bytes.length * 8 - Number(length));
  if (1n << hostBits <= DNS_INDEX) return DEFAULT_DNS;
  const network = (BigInt(`0x${bytes.toString('hex')}`) >> hostBits) << hostBits;
  return textOfAddress(Buffer.from((network + DNS_INDEX).toString(16).padStart(bytes.length * 2, '0'), 'hex'));
}
