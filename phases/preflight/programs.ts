/** Programs that kubelet, kube-proxy and whoever looks after them start. */
import { bad, type Check, type Given, good, type Severity } from './check.ts';
import { isDocker } from './docker.ts';

/** Program → the package that brings it, as Debian names it. */
const packages: Record<string, string> = {
  crictl: 'cri-tools',
  conntrack: 'conntrack',
  ip: 'iproute2',
  iptables: 'iptables',
  mount: 'mount',
  nsenter: 'util-linux',
  ebtables: 'ebtables',
  ethtool: 'ethtool',
  socat: 'socat',
  tc: 'iproute2',
  touch: 'coreutils',
};

const onPath = (
  program: string,
  severity: Severity,
  about: Partial<Pick<Check, 'applies' | 'warnsFrom' | 'looks'>> = {},
): Check => ({
  name: `FileExisting-${program}`,
  severity,
  looks: 'it is on PATH',
  hint: `apt-get install ${packages[program]}, or your distribution's package`,
  ...about,
  async run({ commands }) {
    const path = await commands.find(program);
    return path === undefined ? bad(`${program} is not on PATH`) : good(path);
  },
});

export const programChecks = ({ criSocket }: Given): Check[] => [
  onPath('crictl', 'error', {
    applies: !isDocker(criSocket),
    warnsFrom: 31,
    looks: 'it is on PATH, for whoever looks for faults here: the runtime itself is asked without it',
  }),
  onPath('conntrack', 'error', { warnsFrom: 31 }),
  ...['ip', 'iptables', 'mount', 'nsenter'].map((program) => onPath(program, 'error')),
  ...['ebtables', 'ethtool', 'socat', 'tc', 'touch'].map((program) => onPath(program, 'warning')),
];
