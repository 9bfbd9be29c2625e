/** Errors of the command line, and of requests about runs. */

import { list, RERUN } from './hints.ts';
import { type ErrorText, EXIT } from './join-error.ts';

function unknownRun(given: string, ids: readonly string[]): string {
  const recorded = `recorded runs: ${list(ids.slice(0, 5)) || 'none'}`;
  if (given === '') return `an empty text is not the ID of a run; ${recorded}`;
  const matches = ids.filter((id) => `${id}`.startsWith(`${given}`));
  if (matches.length > 1) return `run "${given}" is ambiguous: it matches ${matches.slice(0, 5).join(' and ')}`;
  return `run ${given} was not found; ${recorded}`;
}

function holderText({ run, pid }: { run?: string; pid?: number }): string {
  const known = [...(run === undefined ? [] : [run]), ...(pid === undefined ? [] : [`pid ${pid}`])];
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

function closedText({ run, status }: { run: string; status: string }): string {
  if (status === 'reset') return `this machine was reset after run ${run}`;
  return `run ${run} has ${status === 'undone' ? 'already been undone' : 'succeeded'}`;
}

export const usage = {
  E_ADVERTISE_ADDRESS: (d: { what: string }) => ({
    message: `cannot determine the address of this control plane: ${d.what}`,
    hint: 'Pass the address at which the other control planes reach this machine: --apiserver-advertise-address ADDRESS',
    exitCode: EXIT.usage,
  }),
  E_APPROVAL_DENIED: (d: { step: string; by: string; reason: string }) => ({
    message: `step ${d.step} was denied by ${d.by}${d.reason === '' ? '' : `: ${d.reason}`}`,
    hint: `To ask again, ${RERUN}.`,
    exitCode: EXIT.denied,
  }),
  E_APPROVAL_NONE: (d: { run: string; step: string; open: readonly string[] }) => ({
    message: `step ${d.step} of run ${d.run} is not waiting for an approval`,
    hint:
      d.open.length === 0
        ? `No step of the run is waiting. See its progress: join runs show ${d.run}`
        : `Waiting: ${list(d.open)}. For example: join approve ${d.run} ${d.open[0]}`,
    exitCode: EXIT.usage,
  }),
  E_APPROVAL_TIMEOUT: (d: { step: string }) => ({
    message: `step ${d.step} was not approved before its deadline`,
    hint: `The deadline is \`approval.deadline\` of the step in the pipeline. To ask again, ${RERUN}.`,
    exitCode: EXIT.timeLimit,
  }),
  E_ASSERT: (d: { message: string }) => ({
    message: `${d.message}`,
    hint: 'The pipeline only continues if this condition holds. See `that` of the step.',
    exitCode: EXIT.preflight,
  }),
  E_CANCELLED: (d: { signal: string }) => ({
    message: `stopped by ${d.signal}`,
    hint: `To continue, ${RERUN}.`,
    exitCode: d.signal === 'SIGTERM' ? EXIT.terminated : EXIT.cancelled,
  }),
  E_CA_HASH: (d: { file: string; what: string }) => ({
    message: `cannot hash a CA key of ${d.file}: ${d.what}`,
    hint:
      "Choose the cluster's CA in PEM (/etc/kubernetes/pki/ca.crt on a control-plane node), or a kubeconfig " +
      'that contains it.',
    exitCode: EXIT.usage,
  }),
  E_COMMAND_UNKNOWN: (d: { command: string; nearest: string | undefined }) => ({
    message: `there is no command ${d.command}${d.nearest === undefined ? '' : `; did you mean ${d.nearest}?`}`,
    hint: 'To list the commands, run: join help',
    exitCode: EXIT.usage,
  }),
  E_CRI_SOCKETS: (d: { sockets: readonly string[] }) => ({
    message: `this machine has several container runtimes: ${list(d.sockets)}`,
    hint: `Choose one: --cri-socket ${d.sockets[0]}`,
    exitCode: EXIT.usage,
  }),
  E_DISCOVERY_CREDENTIALS: (d: { file: string }) => ({
    message: `no credentials to request the node's certificate: ${d.file} has none, and there is no token`,
    hint: 'Add a bootstrap token: --tls-bootstrap-token (create one with kubeadm token create).',
    exitCode: EXIT.usage,
  }),
  E_INPUT: (d: { problems: readonly string[] }) => ({
    message: d.problems.join('\n'),
    hint: 'Add --help to see every flag.',
    exitCode: EXIT.usage,
  }),
  E_KUBECONFIG: (d: { file: string; what: string }) => ({
    message: `cannot use the kubeconfig ${d.file}: ${d.what}`,
    hint:
      'Choose another: --kubeconfig FILE (root has /etc/kubernetes/admin.conf on a control-plane node). To ' +
      `inspect this one: kubectl config view --kubeconfig ${d.file}`,
    exitCode: EXIT.usage,
  }),
  E_PATCH: (d: { file: string; what: string }) => ({
    message: `cannot apply the patch ${d.file}: ${d.what}`,
    hint: `docs/configuration.md describes --patches. When the patch is fixed, ${RERUN}.`,
    exitCode: EXIT.usage,
  }),
  E_PHASE_INPUT: (d: { phase: string; problems: readonly string[] }) => ({
    message: `the inputs of phase ${d.phase} contradict each other: ${d.problems.join('; ')}`,
    hint: `See its inputs: join phase ${d.phase} --help`,
    exitCode: EXIT.pipeline,
  }),
  E_PHASE_UNKNOWN: (d: { phase: string; nearest: string | undefined }) => ({
    message: `there is no phase ${d.phase}${d.nearest === undefined ? '' : `; did you mean ${d.nearest}?`}`,
    hint: 'To list the phases, run: join phase',
    exitCode: EXIT.usage,
  }),
  E_PRUNE_UNCONFIRMED: (d: { run: string; status: string }) => ({
    message: `run ${d.run} is ${d.status}, and nothing can undo its changes without its record; it was not deleted`,
    hint: `To roll back its changes first: join undo ${d.run}\n  → To delete the record: join runs prune ${d.run} --yes`,
    exitCode: EXIT.usage,
  }),
  E_RESET_ETCD: (d: { what: string }) => ({
    message: `the member of this machine cannot leave etcd: ${d.what}`,
    hint:
      'Nothing was changed. When etcd answers, reset again. To continue without the removal, although etcd then ' +
      'counts a member that no longer answers, so that fewer failures stop the cluster: ' +
      'join reset --ignore-etcd-member',
    exitCode: EXIT.cluster,
  }),
  E_RESET_ETCD_DATA: (d: { found: string; given: string }) => ({
    message: `the manifest of etcd says that its data are in ${d.found}, not in ${d.given}; nothing was reset`,
    hint: `If the directory may be emptied: join reset --etcd-data-dir ${d.found}`,
    exitCode: EXIT.usage,
  }),
  E_RESET_UNCONFIRMED: (_: object) => ({
    message: 'confirmation required, but there is no terminal; nothing was reset',
    hint: 'To apply the changes listed above, run: join reset --yes',
    exitCode: EXIT.usage,
  }),
  E_PLAN_DRIFT: (d: { file: string; differences: readonly string[] }) => ({
    message: `not what ${d.file} planned:\n${d.differences.map((difference) => `    ${difference}`).join('\n')}`,
    hint: `Nothing was changed. Plan again with --out ${d.file}, and read the new plan before you run it.`,
    exitCode: EXIT.preflight,
  }),
  E_PLAN_FILE: (d: { file: string; what: string }) => ({
    message: `cannot use ${d.file} as a saved plan: ${d.what}`,
    hint: `To save a plan, add --out ${d.file} to the flags of a join: join plan --help`,
    exitCode: EXIT.usage,
  }),
  E_PLAN_SECRET: (d: { file: string; flags: readonly string[] }) => ({
    message: `${d.file} holds no secrets, and these are needed: ${list(d.flags)}`,
    hint: `Add them: join run --plan ${d.file} ${d.flags.map((flag) => `${flag} @FILE`).join(' ')}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_CHANGED: (d: { run: string; source: string }) => ({
    message: `the ${d.source} has changed since run ${d.run} was started`,
    hint: `Undo the run, then start a new one: join undo ${d.run}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_CLOSED: (d: { run: string; status: string }) => ({
    message: `${closedText(d)}: there is nothing to ${d.status === 'succeeded' ? '' : 'undo or '}resume`,
    hint: `See what it did: join runs show ${d.run}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_INTERRUPTED: (d: { run: string }) => ({
    message: `run ${d.run} was interrupted: its process is gone, and has not recorded an end`,
    hint: `Complete it: join resume ${d.run}\n  → Or roll it back: join undo ${d.run}`,
    exitCode: EXIT.machine,
  }),
  E_RUN_LOCKED: (d: { root: string; lock: string; pid?: number; run?: string }) => ({
    message: `another run${holderText(d)} is in progress on ${d.root === '/' ? 'this machine' : d.root}`,
    hint: `Wait until it ends. To see its process, run: ${d.pid === undefined ? `fuser -v ${d.lock}` : `ps -fp ${d.pid}`}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_EVENTS: (d: { run: string }) => ({
    message: `run ${d.run} has no log of its events, from which its page is made`,
    hint: `An older Joinery may have executed it. What its journal records: join runs show ${d.run}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_NONE: (d: { what: string }) => ({
    message: `there is no run to ${d.what} on this machine`,
    hint: 'To list the recorded runs: join runs',
    exitCode: EXIT.usage,
  }),
  E_RUN_OTHER_MACHINE: (d: { run: string; source: string; recorded: string; found: string }) => ({
    message:
      `run ${d.run} belongs to another machine: its ${d.source} is ${d.recorded}, and that of this machine is ` +
      (d.found || 'not set'),
    hint: 'This machine may be a clone of the other one. Join it again after it is rid of what it inherited: join reset',
    exitCode: EXIT.usage,
  }),
  E_RUN_SECRET_GONE: (d: { run: string; flags: readonly string[] }) => ({
    message: `run ${d.run} needs secrets that were lost in a reboot: ${list(d.flags)}`,
    hint: `Add them again: join resume ${d.run} ${d.flags.map((flag) => `${flag} @FILE`).join(' ')}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_UNFINISHED: (d: { run: string; differs: readonly string[] }) => ({
    message: `run ${d.run} is unfinished, and was started with a different ${list(d.differs)}`,
    hint:
      `Resume it with its original values: join resume ${d.run}\n  → Or undo it, then run this command again: ` +
      `join undo ${d.run}`,
    exitCode: EXIT.usage,
  }),
  E_RUN_UNKNOWN: (d: { given: string; ids: readonly string[] }) => ({
    message: unknownRun(d.given, d.ids),
    hint: 'A unique prefix of an ID is enough. To list the runs: join runs',
    exitCode: EXIT.usage,
  }),
  E_SECRET_IN_ADDRESS: (d: { origin: string }) => ({
    message: `an address at ${d.origin} contains a secret, and proxies and servers log addresses`,
    hint: 'Set the secret in a header or in the body instead.',
    exitCode: EXIT.usage,
  }),
  E_UNDO_UNCONFIRMED: (d: { run: string }) => ({
    message: 'confirmation required, but there is no terminal; nothing was undone',
    hint: `To undo the changes listed above, run: join undo ${d.run} --yes`,
    exitCode: EXIT.usage,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
