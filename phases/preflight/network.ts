/** What Pods and kubelet need of this machine's network. */
import { bad, type Check, type Given, good, named } from './check.ts';
import { proxyFor } from './proxy.ts';

const KUBELET_PORT = 10_250;

/** The host of the endpoint, as a URL has it: an IPv6 address stands in brackets. */
function hostOf({ endpoint }: Given): string | undefined {
  const url = `https://${endpoint}`;
  return endpoint !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
}

function isOn(path: string, about: Pick<Check, 'applies' | 'warnsFrom' | 'hint'> & { why: string }): Check {
  const { why, ...rest } = about;
  return {
    name: named('FileContent', path),
    severity: 'error',
    looks: `it is 1: ${why}`,
    ...rest,
    async run({ files }) {
      const text = (await files.read(path))?.toString('latin1');
      if (text === undefined) return bad(`${path} is missing`);
      return text.startsWith('1') ? good(`${path} is 1`) : bad(`${path} is ${text.trim().slice(0, 20)}`);
    },
  };
}

/** IPv6 settings count where the endpoint is an IPv6 address. */
export function kernelSettings(given: Given): Check[] {
  const host = hostOf(given) ?? '';
  const isV4 = /^[\d.]+$/.test(host);
  const isV6 = host.startsWith('[');
  return [
    isOn('/proc/sys/net/bridge/bridge-nf-call-iptables', {
      warnsFrom: 30,
      why: 'most CNI plugins need it',
      hint: 'modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1',
    }),
    isOn('/proc/sys/net/bridge/bridge-nf-call-ip6tables', {
      applies: isV6,
      warnsFrom: 30,
      why: 'as above, where the endpoint is an IPv6 address',
      hint: 'modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-ip6tables=1',
    }),
    isOn('/proc/sys/net/ipv4/ip_forward', {
      ...(isV4 ? {} : { warnsFrom: 31 }),
      why: 'Pods reach each other through this machine (always an error where the endpoint is an IPv4 address)',
      hint: 'sysctl -w net.ipv4.ip_forward=1, and in a file of /etc/sysctl.d to keep it',
    }),
    isOn('/proc/sys/net/ipv6/conf/default/forwarding', {
      applies: isV6,
      why: 'as above, where the endpoint is an IPv6 address',
      hint: 'sysctl -w net.ipv6.conf.default.forwarding=1, and in a file of /etc/sysctl.d to keep it',
    }),
  ];
}

/** /proc/net/tcp has the port in hex, and 0A for a listener. Nothing is bound to find out. */
export const kubeletPortFree: Check = {
  name: `Port-${KUBELET_PORT}`,
  severity: 'error',
  looks: 'nothing listens there, but the kubelet of an earlier join of this node',
  hint: `Another kubelet may be running. See what it is: ss -ltnp sport = ${KUBELET_PORT}`,
  async run({ files, joinedBefore }) {
    const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => files.read(path)));
    const listens = /^\s*\d+: [0-9A-F]+:280A [0-9A-F:]+ 0A /m;
    if (!tables.some((table) => listens.test(table?.toString('latin1') ?? '')))
      return good(`nothing listens on port ${KUBELET_PORT}`);
    const found = `port ${KUBELET_PORT} is in use`;
    return (await joinedBefore) ? good(`${found} by the kubelet of this node`) : bad(found);
  },
};

/** Names are looked up by the machine's own rules, for a second at most: a server that does not answer is no reason to wait. */
export const hostname: Check = {
  name: 'Hostname',
  severity: 'warning',
  looks: 'the name of the node resolves: `/etc/hosts`, then what `getent` finds within a second',
  hint: 'Add a line to /etc/hosts, or the name to DNS: kubectl logs and exec may need it.',
  async run({ files, commands, given: { nodeName } }) {
    const hosts = (await files.read('/etc/hosts'))?.toString('utf8') ?? '';
    const names = hosts.split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1));
    if (names.some((name) => name.toLowerCase() === nodeName)) return good(`/etc/hosts names ${nodeName}`);
    const tools = await Promise.all(['timeout', 'getent'].map((program) => commands.find(program)));
    if (tools.includes(undefined)) return bad(`/etc/hosts does not name ${nodeName}, and there is no getent to ask`);
    const { exitCode, stdout } = await commands.query(['timeout', '1', 'getent', 'hosts', nodeName]);
    const [address = ''] = stdout.trim().split(/\s+/);
    return exitCode === 0 ? good(`${nodeName} is ${address}`) : bad(`${nodeName} does not resolve`);
  },
};

export function proxyChecks(given: Given): Check[] {
  const host = hostOf(given);
  const address = host?.replace(/^\[|\]$/g, '');
  return [
    {
      name: 'HTTPProxy',
      severity: 'warning',
      applies: host !== undefined,
      looks: 'no `HTTPS_PROXY` of our environment holds for the endpoint',
      hint: `We do not use it, but a kubelet with the same environment would: export NO_PROXY=$NO_PROXY,${address ?? 'HOST'}`,
      async run({ files }) {
        // What this process was started with; a machine below another root has none.
        const variables = (await files.read('/proc/self/environ'))?.toString('utf8').split('\0') ?? [];
        const proxy = proxyFor(address ?? '', variables);
        return proxy === undefined
          ? good(`no proxy stands between us and ${address}`)
          : bad(`HTTPS_PROXY is ${proxy}, and NO_PROXY does not name ${address}`);
      },
    },
  ];
}
