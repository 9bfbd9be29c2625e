/** `join sandbox up`: a cluster and a scratch machine to play with, until Ctrl-C. */
import { once } from 'node:events';
import { join } from 'node:path';
import { JoinCommand } from '../../command.ts';
import { openPlayground } from './machine.ts';

export class SandboxUp extends JoinCommand {
  static override summary = 'Start a cluster in this process, and a scratch machine that can join it';
  static override description =
    'It is a test double: real TLS, tokens, CSRs and watches, a stand-in kubelet, and no Pods. Everything is gone when it ends.';

  async run(): Promise<void> {
    const { sandbox, root, kubeconfig, joinArguments, close } = await openPlayground(
      join(this.config.root, 'bin/join.cjs'),
    );
    const bin = this.config.bin;
    this.log(`A cluster answers at https://${sandbox.endpoint}, a machine lies in ${root}. In another terminal:

  ${bin} run ${joinArguments.join(' ')} --dry-run
  ${bin} run ${joinArguments.join(' ')}
  kubectl --kubeconfig ${kubeconfig} get nodes,csr

Ctrl-C ends it.`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await close();
  }
}
