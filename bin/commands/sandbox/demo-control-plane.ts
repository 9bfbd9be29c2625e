/** What `join sandbox demo --control-plane` shows: a second control plane joins, and its join is undone. */
import { signalAfter } from '../../../engine/limits/timers.ts';
import type { EtcdMember } from '../../../engine/sdk/index.ts';
import type { ControlPlaneOffer } from './machine.ts';

/** What a demonstration uses. */
export interface Demo {
  /** The root of the machine. */
  root: string;
  /** Runs a command of Joinery. Returns whether it succeeded. */
  run(command: string, words: readonly string[]): Promise<boolean>;
  log(text: string): void;
  /** One line for each file below these directories of the machine. */
  tree(folders: readonly string[]): Promise<string[]>;
}

/** The annotation of a mirror Pod. */
const MIRROR = 'kubernetes.io/config.mirror';
/** etcd, kube-apiserver, kube-controller-manager and kube-scheduler. */
const PODS = 4;
const PODS_MS = 10_000;
/** Directories that a control plane writes. */
const FOLDERS = ['etc/kubernetes', 'etc/ssl', 'var/lib/etcd', 'var/lib/kubelet'];

/** A failed command ends it, and leaves its exit code. */
export async function demonstrateControlPlane({ run, log, tree, root }: Demo, offer: ControlPlaneOffer): Promise<void> {
  const { sandbox, joinArguments } = offer;
  const before = await tree(FOLDERS);
  log(`A sandbox cluster runs at https://${sandbox.endpoint}. Its etcd has one member, and its API stores the encrypted
certificates of the control planes. An empty machine joins as the second control plane:\n`);
  if (!(await run('run', [...joinArguments, '--wait', 'ready']))) return;
  log(`
Files of the machine (below ${root}):
${lines(await tree(FOLDERS))}

Members of etcd, of which this machine is one now:
${lines(sandbox.etcd.etcd.members.map(memberLine))}

Pods that run on the machine, and answer at ${sandbox.advertiseAddress}:
${lines(await mirrorPods(sandbox.store))}

The join is undone. The member leaves etcd first:\n`);
  if (!(await run('undo', ['--yes', '--root', root]))) return;
  const differing = difference(before, await tree(FOLDERS));
  log(`
Members of etcd:
${lines(sandbox.etcd.etcd.members.map(memberLine))}

Files that are not as before the join: ${differing.length === 0 ? 'none' : `\n${lines(differing)}`}`);
}

const lines = (texts: readonly string[]): string => texts.map((text) => `  ${text}`).join('\n');

const memberLine = ({ name, id, peerUrls, isLearner }: EtcdMember): string =>
  `${name || id} at ${peerUrls.join()} (${isLearner ? 'learner' : 'voter'})`;

/** Mirror Pods are those of the kubelet, which creates them after its Node. They are missing if it takes too long. */
async function mirrorPods(store: ControlPlaneOffer['sandbox']['store']): Promise<string[]> {
  const pods = () => store.list('pods', 'kube-system').filter(({ metadata }) => metadata.annotations?.[MIRROR]);
  let unsubscribe = () => {};
  await new Promise<void>((resolve) => {
    const look = () => {
      if (pods().length >= PODS) resolve();
    };
    unsubscribe = store.subscribe(look);
    signalAfter(PODS_MS).addEventListener('abort', () => resolve());
    look();
  });
  unsubscribe();
  return pods().map(({ metadata: { name, namespace } }) => `${namespace}/${name}`);
}

const difference = (before: readonly string[], after: readonly string[]): string[] => [
  ...before.filter((line) => !after.includes(line)),
  ...after.filter((line) => !before.includes(line)),
];
