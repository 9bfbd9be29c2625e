/** Checks for root privileges, and for files that another join or cluster left on this machine. */
import { paths } from '../../engine/node/index.ts';
import { type Check, checkName, type Inputs, ok, problem } from './check.ts';

export const isPrivilegedUser: Check = {
  name: 'IsPrivilegedUser',
  severity: 'error',
  passesIf: 'the user is root, or `--root` is set',
  hint: 'Run the command again with sudo.',
  run: async ({ inputs }) =>
    inputs.privileged ? ok('running as root, or with --root') : problem('joining requires root'),
};

export const manifestsEmpty: Check = {
  name: checkName('DirAvailable', paths.manifests),
  severity: 'error',
  droppedBy: 'noManifestsCheck',
  passesIf: 'the directory has no static Pods, or this machine has joined as this node before',
  hint: `If they are not needed: rm ${paths.manifests}/*`,
  async run({ files, joinedBefore }) {
    const [names, before] = await Promise.all([files.list(paths.manifests), joinedBefore]);
    if (names === undefined || names.length === 0) return ok(`${paths.manifests} is empty`);
    const found = `${paths.manifests} is not empty: ${names.slice(0, 5).join(', ')}`;
    return before ? ok(`${found}, but this machine has joined as this node before`) : problem(found);
  },
};

const fileAvailable = (path: string): Check => ({
  name: checkName('FileAvailable', path),
  severity: 'error',
  passesIf: 'the file does not exist, or is from an earlier join of this node',
  hint: 'This machine may already belong to a cluster. To leave it: join reset',
  async run({ files, joinedBefore }) {
    const [stat, before] = await Promise.all([files.stat(path), joinedBefore]);
    if (stat === undefined) return ok(`${path} does not exist`);
    return before ? ok(`${path} is from an earlier join of this node`) : problem(`${path} already exists`);
  },
});

/** A control plane may have the certificates that all control planes share. */
export const fileChecks = ({ caCertPath, controlPlane }: Inputs): Check[] => [
  manifestsEmpty,
  fileAvailable(paths.kubeletConf),
  fileAvailable(paths.bootstrapKubeletConf),
  ...(controlPlane === true ? [] : [fileAvailable(caCertPath)]),
];
