/** What another join, or another cluster, may have left on this machine; and whether we may write at all. */
import { paths } from '../../engine/node/index.ts';
import { bad, type Check, type Given, good, named } from './check.ts';

export const isPrivilegedUser: Check = {
  name: 'IsPrivilegedUser',
  severity: 'error',
  looks: 'we are root, or work below `--root`',
  hint: 'Try again with sudo.',
  run: async ({ given }) => (given.privileged ? good('we may change this machine') : bad('joining needs root')),
};

export const manifestsEmpty: Check = {
  name: named('DirAvailable', paths.manifests),
  severity: 'error',
  warnsFrom: 31,
  looks: 'no static Pod is left, that this kubelet would start',
  hint: `If nobody needs them: rm ${paths.manifests}/*`,
  async run({ files, joinedBefore }) {
    const [names, before] = await Promise.all([files.list(paths.manifests), joinedBefore]);
    if (names === undefined || names.length === 0) return good(`${paths.manifests} is empty`);
    const found = `${paths.manifests} is not empty: ${names.slice(0, 5).join(', ')}`;
    return before ? good(`${found}, and this machine has joined as this node before`) : bad(found);
  },
};

const fileAvailable = (path: string): Check => ({
  name: named('FileAvailable', path),
  severity: 'error',
  looks: 'it is not there, or is of an earlier join of this node',
  hint: 'This machine may belong to a cluster. To take it out of there: join undo, or kubeadm reset',
  async run({ files, joinedBefore }) {
    const [there, before] = await Promise.all([files.stat(path), joinedBefore]);
    if (there === undefined) return good(`${path} is not there`);
    return before ? good(`${path} is of an earlier join of this node`) : bad(`${path} already exists`);
  },
});

export const fileChecks = ({ caCertPath }: Given): Check[] => [
  manifestsEmpty,
  fileAvailable(paths.kubeletConf),
  fileAvailable(paths.bootstrapKubeletConf),
  fileAvailable(caCertPath),
];
