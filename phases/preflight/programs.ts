/** Checks for programs that the kubelet, kube-proxy and administrators use. */
import { type Check, type Inputs, ok, problem, type Severity } from './check.ts';
import { isDocker } from './docker.ts';

/** Program → its Debian package. */
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
  about: Partial<Pick<Check, 'applies' | 'warnsFrom' | 'passesIf'>> = {},
): Check => ({
  name: `FileExisting-${program}`,
  severity,
  passesIf: 'the program is on PATH',
  hint: `apt-get install ${packages[program]}, or your distribution's package`,
  ...about,
  async run({ commands }) {
    const path = await commands.find(program);
    return path === undefined ? problem(`${program} is not on PATH`) : ok(path);
  },
});

export const programChecks = ({ criSocket }: Inputs): Check[] => [
  onPath('crictl', 'error', {
    applies: !isDocker(criSocket),
    warnsFrom: 31,
    passesIf: 'the program is on PATH, for troubleshooting (Joinery itself does not use it)',
  }),
  onPath('conntrack', 'error', { warnsFrom: 31 }),
  ...['ip', 'iptables', 'mount', 'nsenter'].map((program) => onPath(program, 'error')),
  ...['ebtables', 'ethtool', 'socat', 'tc', 'touch'].map((program) => onPath(program, 'warning')),
];
