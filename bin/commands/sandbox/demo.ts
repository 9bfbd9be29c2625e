/** `join sandbox demo`: one join from beginning to end, on a cluster and a machine that are gone afterwards. */
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type CsrObject, isReady, type NodeObject } from '../../../engine/node/index.ts';
import type { Sandbox } from '../../../plugins/sandbox/index.ts';
import type { KubeObject } from '../../../plugins/sandbox/objects.ts';
import { JoinCommand } from '../../command.ts';
import { openPlayground, type Playground } from './machine.ts';

export class SandboxDemo extends JoinCommand {
  static override summary = 'Watch one join from beginning to end; needs no cluster, no root and no network';

  async run(): Promise<void> {
    const playground = await openPlayground(join(this.config.root, 'bin/join.cjs'));
    try {
      await this.#show(playground);
    } finally {
      await playground.close();
    }
  }

  async #show({ sandbox, root, joinArguments }: Playground): Promise<void> {
    this.log(`A sandbox cluster answers at https://${sandbox.endpoint}. An empty machine, worker-1, joins it:\n`);
    this.log(`$ join run ${joinArguments.join(' ')}\n`);
    await this.config.runCommand('run', [...joinArguments, '--wait', 'ready']);
    if (process.exitCode !== 0) return;
    this.log(`
What is now on the machine's disk (below ${root}):
${(await tree(root, ['etc/kubernetes', 'var/lib/kubelet'])).map((line) => `  ${line}`).join('\n')}

What is now in the cluster:
${clusterLines(sandbox.store)
  .map((line) => `  ${line}`)
  .join('\n')}

Everything of this demo is gone now. To try next:
  bin/join sandbox up               a cluster and a machine that stay, to play with
  bin/join run --help               every flag; a pasted kubeadm join line works
  bin/join phase                    the phases, each of which runs by itself
  less pipelines/join-worker.yaml   the pipeline that ran; copy it and put a step of your own in it`);
  }
}

function clusterLines(store: Sandbox['store']): string[] {
  const nodes = store.list<NodeObject & KubeObject>('nodes');
  const csrs = store.list<CsrObject & KubeObject>('certificatesigningrequests');
  return [
    ...nodes.map(
      (node) =>
        `Node ${node.metadata.name}: ${isReady(node) ? 'Ready' : 'not Ready'}, kubelet ${node.status?.nodeInfo?.kubeletVersion}`,
    ),
    ...csrs.map(
      ({ metadata, status }) =>
        `CertificateSigningRequest ${metadata.name}: ${status?.conditions?.map(({ type }) => type).join()}${status?.certificate ? ',Issued' : ''}`,
    ),
  ];
}

/** `mode path`, and where links point. */
async function tree(root: string, folders: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const folder of folders)
    for (const name of await readdir(join(root, folder), { recursive: true })) {
      const path = join(folder, name);
      const stats = await lstat(join(root, path));
      const target = stats.isSymbolicLink() ? ` → ${await readlink(join(root, path))}` : '';
      if (!stats.isDirectory()) lines.push(`${(stats.mode & 0o777).toString(8).padStart(4, '0')} /${path}${target}`);
    }
  return lines;
}
