/** `join sandbox up`: runs a cluster and a scratch machine until Ctrl-C. */
import { once } from 'node:events';
import { Flags } from '@oclif/core';
import { FAILURE_NAMES } from '../../../plugins/sandbox/failure-names.ts';
import { DEFAULT_PROFILE, type ProfileName, profiles } from '../../../plugins/sandbox/profile.ts';
import { JoinCommand } from '../../command.ts';
import { type ControlPlaneOffer, openPlayground, type Playground } from './machine.ts';

export class SandboxUp extends JoinCommand {
  static override summary = 'Start a sandbox cluster, and a scratch machine that can join it';
  static override description =
    'The sandbox has real TLS, tokens, CSRs and watches, stand-ins for the kubelet and etcd, and runs no containers. ' +
    'It ends with the command.';
  static override examples = [
    '<%= config.bin %> sandbox up',
    '<%= config.bin %> sandbox up --approve manual --slow',
    '<%= config.bin %> sandbox up --fail kubelet-start',
  ];
  static override flags = {
    'kubernetes-version': Flags.option({
      options: Object.keys(profiles) as ProfileName[],
      default: DEFAULT_PROFILE as ProfileName,
      description: `Version of the cluster and of the kubelet (default ${DEFAULT_PROFILE})`,
    })(),
    approve: Flags.option({
      options: ['auto', 'manual'] as const,
      default: 'auto',
      description: 'Who approves certificate requests: the cluster (auto), or you (manual) (default auto)',
    })(),
    fail: Flags.option({
      options: FAILURE_NAMES,
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'STEP',
      description: `Let this step of the default pipeline fail (repeatable): ${FAILURE_NAMES.join(', ')}`,
    })(),
    slow: Flags.boolean({ description: 'Let the API server and the kubelet take seconds to answer' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SandboxUp);
    const playground = await openPlayground(this.app.assets.program, {
      kubernetesVersion: flags['kubernetes-version'],
      approve: flags.approve,
      fail: flags.fail ?? [],
      pace: flags.slow ? 'slow' : 'fast',
      controlPlanes: true,
    });
    this.log(this.app.invocation.hint(textOf(playground)));
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')]);
    await playground.close();
  }
}

function textOf(playground: Playground): string {
  const { sandbox, root, kubeconfig, approvalFile, failures, joinArguments, controlPlane } = playground;
  const approval =
    approvalFile === undefined
      ? []
      : ['Certificate requests wait for you. To approve them, now and later:', '', `  touch ${approvalFile}`, ''];
  return [
    `The cluster is at https://${sandbox.endpoint}, the machine in ${root}. In another terminal:`,
    '',
    `  join run ${joinArguments.join(' ')} --dry-run`,
    `  join run ${joinArguments.join(' ')}`,
    `  kubectl --kubeconfig ${kubeconfig} get nodes,csr`,
    '',
    ...(controlPlane === undefined ? [] : controlPlaneText(controlPlane, playground)),
    ...approval,
    ...failures.flatMap((line) => [line, '']),
    'Ctrl-C stops and deletes both.',
  ].join('\n');
}

/** The machine can have one role at a time. */
const controlPlaneText = (
  { joinArguments, firstRoot }: ControlPlaneOffer,
  { root, kubeconfig }: Playground,
): string[] => [
  `Or, after \`join undo --root ${root}\`, as a second control plane, whose certificates the cluster has:`,
  '',
  `  join run ${joinArguments.join(' ')}`,
  '',
  'To store the certificates of the first control plane again, with a new key:',
  '',
  `  join certs upload --root ${firstRoot} --kubeconfig ${kubeconfig}`,
  `  join token create --print-join-command --kubeconfig ${kubeconfig} --certificate-key KEY`,
  '',
];
