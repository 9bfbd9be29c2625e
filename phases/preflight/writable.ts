/** Checks that the directories in which later steps write can be written. */
import { paths } from '../../engine/node/index.ts';
import type { Files } from '../../engine/sdk/index.ts';
import { type Check, type Finding, type Inputs, ok, problem } from './check.ts';

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
/** A directory, and every directory above it. */
const withParents = (path: string): string[] => (path === '/' ? ['/'] : [...withParents(parentOf(path)), path]);

export const writablePaths = ({ caCertPath }: Inputs): Check => ({
  name: 'WritablePaths',
  severity: 'error',
  passesIf:
    'the directories of the kubelet and of Kubernetes are on disks that can be written, no link to them ' +
    'dangles, and no directory is in the way of a file',
  hint: 'Make the path writable, or correct the link, and join again.',
  async run({ files }) {
    const directories = [
      ...new Set([parentOf(paths.kubeletConf), parentOf(caCertPath), paths.kubelet, paths.kubeletPki]),
    ];
    const found = await Promise.all(directories.map((path) => findingOf(files, path)));
    const inTheWay = await Promise.all(
      FILES.map(async (path) => ((await files.stat(path))?.kind === 'directory' ? path : '')),
    );
    const taken = inTheWay.find((path) => path !== '');
    if (taken !== undefined)
      return problem(`${taken} is a directory, and in the way of a file`, { hint: `rmdir ${taken}` });
    return found.find(({ isOk }) => !isOk) ?? ok(`${directories.join(', ')} can be written`);
  },
});

/** The files that later steps write, apart from the CA. */
const FILES = [
  paths.kubeletConf,
  paths.kubeletConfig,
  paths.kubeletInstanceConfig,
  paths.kubeadmFlags,
  paths.kubeletCurrentPem,
];

async function findingOf(files: Files, directory: string): Promise<Finding> {
  for (const path of withParents(directory)) {
    const stat = await files.stat(path);
    if (stat === undefined) continue; // it will be created
    if (stat.kind === 'link' && (await files.list(path)) === undefined)
      return problem(`${path} is a link to ${stat.target}, which does not exist`, { hint: `mkdir -p ${stat.target}` });
    if (stat.kind !== 'link' && stat.kind !== 'directory') return problem(`${path} is not a directory`);
  }
  const mount = mountOf((await files.read('/proc/self/mounts'))?.toString('utf8') ?? '', directory);
  if (mount?.options.split(',').includes('ro') !== true) return ok(directory);
  return problem(`${directory} is on a read-only file system, mounted at ${mount.point}`, {
    hint: `mount -o remount,rw ${mount.point}`,
  });
}

/** The innermost mount point above the path; of several at one place, the last hides the others. */
function mountOf(table: string, path: string): { point: string; options: string } | undefined {
  const mounts = table.split('\n').map((line) => line.split(' '));
  const above = mounts.flatMap(([, point = '', , options = '']) =>
    point === '/' || path === point || path.startsWith(`${point}/`) ? [{ point, options }] : [],
  );
  const length = Math.max(0, ...above.map(({ point }) => point.length));
  return above.findLast(({ point }) => point.length === length);
}
