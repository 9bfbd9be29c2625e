/** Errors of what was typed, and what is asked of runs. */
import { type ErrorText, EXIT } from './join-error.ts';
import { list, RERUN } from './words.ts';

export const usage = {
  E_APPROVAL_DENIED: (d: { step: string; by: string; reason: string }) => ({
    message: `step ${d.step} was not approved by ${d.by}${d.reason === '' ? '' : `: ${d.reason}`}`,
    hint: `To ask anew, ${RERUN}.`,
    exitCode: EXIT.cancelled,
  }),
  E_APPROVAL_NONE: (d: { run: string; step: string; open: readonly string[] }) => ({
    message: `step ${d.step} of run ${d.run} does not wait for an approval`,
    hint:
      d.open.length === 0
        ? `None of its steps does; see where it is: join runs show ${d.run}`
        : `These do: ${list(d.open)}. For example: join approve ${d.run} ${d.open[0]}`,
    exitCode: EXIT.usage,
  }),
  E_APPROVAL_TIMEOUT: (d: { step: string }) => ({
    message: `nobody has approved step ${d.step} before its deadline`,
    hint: `To ask anew, ${RERUN}. The deadline is \`approval.deadline\` of that step in the pipeline.`,
    exitCode: EXIT.timeLimit,
  }),
  E_ASSERT: (d: { message: string }) => ({
    message: `${d.message}`,
    hint: 'The pipeline goes on only where this holds: see `that` of its step.',
    exitCode: EXIT.preflight,
  }),
  E_CANCELLED: (d: { signal: string }) => ({
    message: `stopped by ${d.signal}`,
    hint: `To go on, ${RERUN}.`,
    exitCode: EXIT.cancelled,
  }),
  E_CA_HASH: (d: { file: string; what: string }) => ({
    message: `no CA key of ${d.file} can be hashed: ${d.what}`,
    hint: "Choose the cluster's CA in PEM (/etc/kubernetes/pki/ca.crt on a control-plane node), or a kubeconfig that holds it.",
    exitCode: EXIT.usage,
  }),
  E_CONTROL_PLANE_UNSUPPORTED: (d: { what: string }) => ({
    message: `${d.what} asks for a control-plane node, and only workers can be joined`,
    hint: 'Leave it out to join a worker; kubeadm join adds control-plane nodes.',
    exitCode: EXIT.usage,
  }),
  E_CRI_SOCKETS: (d: { sockets: readonly string[] }) => ({
    message: `this machine has several container runtimes: ${list(d.sockets)}`,
    hint: `Say which one: --cri-socket ${d.sockets[0]}`,
    exitCode: EXIT.usage,
  }),
  E_DISCOVERY_CREDENTIALS: (d: { file: string }) => ({
    message: `nothing says who asks for this machine's certificate: ${d.file} has no credentials, and no token is given`,
    hint: 'Give a bootstrap token beside the file: --tls-bootstrap-token (kubeadm token create makes one).',
    exitCode: EXIT.usage,
  }),
  E_INPUT: (d: { problems: readonly string[] }) => ({
    message: d.problems.join('\n'),
    hint: 'Add --help to see every flag.',
    exitCode: EXIT.usage,
  }),
  E_KUBECONFIG: (d: { file: string; what: string }) => ({
    message: `kubeconfig ${d.file} cannot be used: ${d.what}`,
    hint: `Choose another: --kubeconfig FILE. On a control-plane node root has /etc/kubernetes/admin.conf; see what is in it: kubectl config view --kubeconfig ${d.file}`,
    exitCode: EXIT.usage,
  }),
  E_PATCH: (d: { file: string; what: string }) => ({
    message: `the patch ${d.file} cannot be applied: ${d.what}`,
    hint: 'docs/configuration.md says what --patches takes. When it is mended: join resume',
    exitCode: EXIT.usage,
  }),
  E_PHASE_INPUT: (d: { phase: string; problems: readonly string[] }) => ({
    message: `the inputs of phase ${d.phase} do not go together: ${d.problems.join('; ')}`,
    hint: `See what it takes: join phase ${d.phase} --help`,
    exitCode: EXIT.pipeline,
  }),
  E_PHASE_UNKNOWN: (d: { phase: string; nearest: string | undefined }) => ({
    message: `there is no phase ${d.phase}${d.nearest === undefined ? '' : `; did you mean ${d.nearest}?`}`,
    hint: 'join phase lists them.',
    exitCode: EXIT.usage,
  }),
  E_RESET_CONTROL_PLANE: (d: { path: string }) => ({
    message: `this machine is of a control plane: there is ${d.path}`,
    hint: 'Its etcd member has to leave the cluster first, so take the command for that: kubeadm reset',
    exitCode: EXIT.usage,
  }),
  E_RESET_UNCONFIRMED: (_: object) => ({
    message: 'nobody can be asked here whether to reset this machine, so nothing was done',
    hint: 'To do what is listed above: join reset --yes',
    exitCode: EXIT.usage,
  }),
  E_RUN_CHANGED: (d: { run: string; source: string }) => ({
    message: `run ${d.run} was begun with another ${d.source} than there is now`,
    hint: `Take it back, and begin anew: join undo ${d.run}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_CLOSED: (d: { run: string; status: string }) => ({
    message: `run ${d.run} has ${d.status === 'undone' ? 'been undone' : 'succeeded'}: there is nothing to ${d.status === 'undone' ? 'undo or ' : ''}resume`,
    hint: `See what it did: join runs show ${d.run}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_LOCKED: (d: { root: string; socket: string }) => ({
    message: `another run is at work on ${d.root === '/' ? 'this machine' : d.root}`,
    hint: `Wait for it, or see which process it is: ss -xlp | grep ${d.socket}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_NONE: (d: { what: string }) => ({
    message: `there is no run to ${d.what} on this machine`,
    hint: 'join runs lists those that are remembered.',
    exitCode: EXIT.usage,
  }),
  E_RUN_SECRET_GONE: (d: { run: string; flags: readonly string[] }) => ({
    message: `what run ${d.run} needs to go on is not kept over a reboot: ${list(d.flags)}`,
    hint: `Give it again: join resume ${d.run} ${d.flags.map((flag) => `${flag} @FILE`).join(' ')}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_UNFINISHED: (d: { run: string; differs: readonly string[] }) => ({
    message: `run ${d.run} is not finished, and was begun with another ${list(d.differs)}`,
    hint: `Finish it with what it was begun with: join resume ${d.run}\n  → Or take it back, and then run this again: join undo ${d.run}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_UNKNOWN: (d: { given: string; ids: readonly string[] }) => ({
    message: `there is no run ${d.given}, or more than one; there ${d.ids.length === 1 ? 'is' : 'are'} ${list(d.ids.slice(0, 5)) || 'none'}`,
    hint: 'join runs lists them; as much of an id as is unlike the others is enough.',
    exitCode: EXIT.usage,
  }),
  E_SECRET_IN_ADDRESS: (d: { origin: string }) => ({
    message: `an address at ${d.origin} has a secret in it, and addresses are logged on the way`,
    hint: 'Choose a header to hand it over in, or the body.',
    exitCode: EXIT.usage,
  }),
  E_UNDO_UNCONFIRMED: (d: { run: string }) => ({
    message: 'nobody can be asked here whether to undo, so nothing was done',
    hint: `To do what is listed above: join undo ${d.run} --yes`,
    exitCode: EXIT.usage,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
