/** `join sandbox demo`: one whole join, on a cluster and a machine that are deleted afterwards. */
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import { type CsrObject, isReady, type NodeObject } from '../../../engine/node/index.ts';
import type { Sandbox } from '../../../plugins/sandbox/index.ts';
import type { KubeObject } from '../../../plugins/sandbox/objects.ts';
import { JoinCommand } from '../../command.ts';
import type { Demo } from './demo-control-plane.ts';
import { openPlayground, type Playground } from './machine.ts';

const NEXT_COMMANDS = [
  ['join sandbox up', 'start a cluster and a machine that stay until Ctrl-C'],
  ['join run --help', 'list all flags; a pasted kubeadm join line works'],
  ['join phase', 'list the phases; each can run by itself'],
  ['join pipeline show', 'print the pipeline that ran; copy it and add a step of your own'],
] as const;

export class SandboxDemo extends JoinCommand {
  static override summary = 'Watch a whole join; needs no cluster, no root and no network';
  static override examples = ['<%= config.bin %> sandbox demo', '<%= config.bin %> sandbox demo --control-plane'];
  static override flags = {
    'control-plane': Flags.boolean({ description: 'Join a second control plane instead of a worker, and undo it' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SandboxDemo);
    const playground = await openPlayground(this.app.assets.program, { controlPlanes: flags['control-plane'] });
    try {
      await this.#show(playground);
    } finally {
      await playground.close();
    }
  }

  async #show(playground: Playground): Promise<void> {
    const { invocation } = this.app;
    const { root, controlPlane } = playground;
    const demo: Demo = {
      root,
      run: async (command, words) => {
        this.log(invocation.hint(`$ join ${command} ${words.join(' ')}\n`));
        await this.config.runCommand(command, [...words]);
        return process.exitCode === 0;
      },
      log: (text) => this.log(text),
      tree: (folders) => tree(root, folders),
    };
    if (controlPlane === undefined) await demonstrateWorker(demo, playground);
    else {
      const { demonstrateControlPlane } = await import('./demo-control-plane.ts');
      await demonstrateControlPlane(demo, controlPlane);
    }
    if (process.exitCode !== 0) return;
    this.log(`
The demo has been deleted. Next, try:
${NEXT_COMMANDS.map(([command, use]) => `  ${invocation.hint(command).padEnd(36)}${use}`).join('\n')}`);
  }
}

async function demonstrateWorker(
  { run, log, tree, root }: Demo,
  { sandbox, joinArguments }: Playground,
): Promise<void> {
  log(`A sandbox cluster runs at https://${sandbox.endpoint}. The empty machine worker-1 joins it:\n`);
  if (!(await run('run', [...joinArguments, '--wait', 'ready']))) return;
  log(`
Files of the machine (below ${root}):
${(await tree(['etc/kubernetes', 'var/lib/kubelet'])).map((line) => `  ${line}`).join('\n')}

Objects in the cluster:
${clusterLines(sandbox.store)
  .map((line) => `  ${line}`)
  .join('\n')}`);
}

function clusterLines(store: Sandbox['store']): string[] {
  const nodes = store.list<NodeObject & KubeObject>('nodes');
  const csrs = store.list<CsrObject & KubeObject>('certificatesigningrequests');
  return [
    ...nodes.map((node) => {
      const { kubeletVersion } = node.status?.nodeInfo ?? {};
      return `Node ${node.metadata.name}: ${isReady(node) ? 'Ready' : 'not Ready'}, kubelet ${kubeletVersion}`;
    }),
    ...csrs.map(({ metadata, status }) => {
      const conditions = (status?.conditions ?? []).map(({ type }) => type);
      const states = status?.certificate ? [...conditions, 'Issued'] : conditions;
      return `CertificateSigningRequest ${metadata.name}: ${states.join()}`;
    }),
  ];
}

/** One line for each file: mode, path and, for a link, its target. */
async function tree(root: string, folders: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const folder of folders)
    for (const name of await readdir(join(root, folder), { recursive: true }).catch(() => [])) {
      const path = join(folder, name);
      const stats = await lstat(join(root, path));
      const target = stats.isSymbolicLink() ? ` → ${await readlink(join(root, path))}` : '';
      if (!stats.isDirectory()) lines.push(`${(stats.mode & 0o777).toString(8).padStart(4, '0')} /${path}${target}`);
    }
  return lines;
}
