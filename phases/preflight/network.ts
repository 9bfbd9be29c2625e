/** Checks the network settings that Pods and the kubelet need. */
import { isPortInUse } from '../../engine/node/index.ts';
import { type Check, type CheckContext, checkName, type Finding, type Inputs, ok, problem } from './check.ts';

const KUBELET_PORT = 10_250;

/** Host of the endpoint as in a URL: an IPv6 address has brackets. */
function hostOf({ endpoint }: Inputs): string | undefined {
  const url = `https://${endpoint}`;
  return endpoint !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
}

function isOn(path: string, about: Pick<Check, 'applies' | 'droppedBy' | 'hint'> & { why: string }): Check {
  const { why, ...rest } = about;
  return {
    name: checkName('FileContent', path),
    severity: 'error',
    passesIf: `the value is 1: ${why}`,
    ...rest,
    async run({ files }) {
      const text = (await files.read(path))?.toString('latin1');
      if (text === undefined) return problem(`${path} is missing`);
      return text.startsWith('1') ? ok(`${path} is 1`) : problem(`${path} is ${text.trim().slice(0, 20)}`);
    },
  };
}

/** The IPv6 settings apply only if the endpoint is an IPv6 address. */
export function kernelSettings(inputs: Inputs): Check[] {
  const host = hostOf(inputs) ?? '';
  const isV4 = /^[\d.]+$/.test(host);
  const isV6 = host.startsWith('[');
  return [
    isOn('/proc/sys/net/bridge/bridge-nf-call-iptables', {
      droppedBy: 'noBridgeCheck',
      why: 'most CNI plugins need it',
      hint: 'modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1',
    }),
    isOn('/proc/sys/net/bridge/bridge-nf-call-ip6tables', {
      applies: isV6,
      droppedBy: 'noBridgeCheck',
      why: 'as above, if the endpoint is an IPv6 address',
      hint: 'modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-ip6tables=1',
    }),
    isOn('/proc/sys/net/ipv4/ip_forward', {
      ...(isV4 ? {} : { droppedBy: 'forwardingByEndpoint' as const }),
      why: 'Pods reach each other through this machine (checked in every release if the endpoint is an IPv4 address)',
      hint: 'sysctl -w net.ipv4.ip_forward=1, and add it to a file in /etc/sysctl.d to keep it',
    }),
    isOn('/proc/sys/net/ipv6/conf/default/forwarding', {
      applies: isV6,
      why: 'as above, if the endpoint is an IPv6 address',
      hint: 'sysctl -w net.ipv6.conf.default.forwarding=1, and add it to a file in /etc/sysctl.d to keep it',
    }),
  ];
}

export const kubeletPortFree: Check = {
  name: `Port-${KUBELET_PORT}`,
  severity: 'error',
  passesIf: 'nothing listens on the port, except the kubelet of an earlier join of this node',
  hint: `Another kubelet may be running. Find it: ss -ltnp sport = ${KUBELET_PORT}`,
  async run({ files, joinedBefore }) {
    if (!(await isPortInUse(files, KUBELET_PORT))) return ok(`nothing listens on port ${KUBELET_PORT}`);
    const found = `port ${KUBELET_PORT} is in use`;
    return (await joinedBefore) ? ok(`${found} by the kubelet of this node`) : problem(found);
  },
};

/** The longest value of a label: the kubelet labels its Node with `kubernetes.io/hostname`. */
const LABEL_LENGTH_MAX = 63;

/** The name is resolved by the machine's own rules, for at most 1 s, so a slow DNS server does not delay the join. */
export const hostname: Check = {
  name: 'Hostname',
  severity: 'warning',
  passesIf:
    'the node name has at most 63 characters (else an error), and resolves through `/etc/hosts`, or through ' +
    '`getent` within 1 s',
  hint: 'Add the name to /etc/hosts or to DNS: kubectl logs and kubectl exec may need it.',
  async run(context) {
    const { nodeName } = context.inputs;
    if (nodeName.length <= LABEL_LENGTH_MAX) return resolution(context);
    return problem(
      `the node name ${nodeName} has ${nodeName.length} characters, and the label kubernetes.io/hostname of ` +
        `a Node has room for no more than ${LABEL_LENGTH_MAX} characters`,
      { severity: 'error', hint: 'The API server would refuse the Node. Choose a shorter name: --node-name NAME' },
    );
  },
};

async function resolution({ files, commands, inputs: { nodeName } }: CheckContext): Promise<Finding> {
  const hosts = (await files.read('/etc/hosts'))?.toString('utf8') ?? '';
  const names = hosts.split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1));
  if (names.some((name) => name.toLowerCase() === nodeName)) return ok(`/etc/hosts has ${nodeName}`);
  const tools = await Promise.all(['timeout', 'getent'].map((program) => commands.find(program)));
  if (tools.includes(undefined)) return problem(`/etc/hosts does not have ${nodeName}, and getent is not installed`);
  const { exitCode, stdout } = await commands.query(['timeout', '1', 'getent', 'hosts', nodeName]);
  const [address = ''] = stdout.trim().split(/\s+/);
  return exitCode === 0 ? ok(`${nodeName} resolves to ${address}`) : problem(`${nodeName} does not resolve`);
}

/** Joinery's own connections and those of this check follow the same rule. */
export function proxyChecks(inputs: Inputs): Check[] {
  const host = hostOf(inputs);
  const address = host?.replace(/^\[|\]$/g, '');
  return [
    {
      name: 'HTTPProxy',
      severity: 'warning',
      applies: host !== undefined,
      passesIf: 'no `HTTPS_PROXY` of the environment applies to the endpoint',
      hint:
        'Joinery will use the proxy, but the kubelet uses the environment of its own service. To connect ' +
        `directly: export NO_PROXY=$NO_PROXY,${address ?? 'HOST'}`,
      async run({ web }) {
        const proxy = await web.proxyOf(`https://${inputs.endpoint}`);
        return proxy === undefined
          ? ok(`no proxy applies to ${address}`)
          : problem(`HTTPS_PROXY is ${proxy}, and NO_PROXY does not include ${address}`);
      },
    },
  ];
}
