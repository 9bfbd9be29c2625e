/** `join sandbox up`: runs a cluster and a scratch machine until Ctrl-C. */
import { once } from 'node:events';
import { JoinCommand } from '../../command.ts';
import { openPlayground } from './machine.ts';

export class SandboxUp extends JoinCommand {
  static override summary = 'Start a sandbox cluster, and a scratch machine that can join it';
  static override description =
    'The sandbox has real TLS, tokens, CSRs and watches, a stand-in kubelet, and no Pods. It ends with the command.';

  async run(): Promise<void> {
    const { sandbox, root, kubeconfig, joinArguments, close } = await openPlayground(this.app.assets.program);
    const bin = this.config.bin;
    this.log(`The cluster is at https://${sandbox.endpoint}, the machine in ${root}. In another terminal:

  ${bin} run ${joinArguments.join(' ')} --dry-run
  ${bin} run ${joinArguments.join(' ')}
  kubectl --kubeconfig ${kubeconfig} get nodes,csr

Ctrl-C stops and deletes both.`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')]);
    await close();
  }
}
