/** Checks for programs that the kubelet, kube-proxy and administrators use. */
import { type Check, type Inputs, ok, problem } from './check.ts';
import { isDocker } from './docker.ts';

/** Program → its Debian package. */
const packages = {
  crictl: 'cri-tools',
  conntrack: 'conntrack',
  ip: 'iproute2',
  iptables: 'iptables',
  losetup: 'mount',
  mount: 'mount',
  cp: 'coreutils',
  nsenter: 'util-linux',
  ebtables: 'ebtables',
  ethtool: 'ethtool',
  socat: 'socat',
  tc: 'iproute2',
  touch: 'coreutils',
} as const;

type About = Partial<Pick<Check, 'severity' | 'applies' | 'addedBy' | 'droppedBy' | 'warnsBy' | 'passesIf'>>;

const onPath = (program: keyof typeof packages, about: About = {}): Check => ({
  name: `FileExisting-${program}`,
  severity: 'error',
  passesIf: 'the program is on PATH',
  hint: `apt-get install ${packages[program]}, or your distribution's package`,
  ...about,
  async run({ commands }) {
    const path = await commands.find(program);
    return path === undefined ? problem(`${program} is not on PATH`) : ok(path);
  },
});

export const programChecks = ({ criSocket }: Inputs): Check[] => [
  onPath('crictl', {
    applies: !isDocker(criSocket),
    warnsBy: 'runtimeByApi',
    droppedBy: 'noCrictlCheck',
    passesIf: 'the program is on PATH, for troubleshooting (Joinery itself does not use it)',
  }),
  onPath('conntrack', { droppedBy: 'runtimeByApi' }),
  onPath('ip', { droppedBy: 'fewPrograms' }),
  onPath('iptables', { droppedBy: 'fewPrograms' }),
  onPath('losetup', { addedBy: 'fewPrograms' }),
  onPath('mount'),
  onPath('cp', { addedBy: 'fewPrograms' }),
  onPath('nsenter', { droppedBy: 'fewPrograms' }),
  onPath('ebtables', { severity: 'warning', droppedBy: 'noSocatCheck' }),
  onPath('ethtool', { severity: 'warning', droppedBy: 'fewPrograms' }),
  onPath('socat', { severity: 'warning', droppedBy: 'noSocatCheck' }),
  onPath('tc', { severity: 'warning', droppedBy: 'fewPrograms' }),
  onPath('touch', { severity: 'warning', droppedBy: 'fewPrograms' }),
];
