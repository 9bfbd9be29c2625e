/** Every error Joinery can end with: a stable code, the fact, the next thing to do. Facts in, words out. */

import type { CheckResult } from './checks.ts';
import { EXIT, JoinError, type Words } from './join-error.ts';

export { EXIT, isJoinError, JoinError, type OwnError } from './join-error.ts';

export interface Problem {
  file: string;
  line: number;
  column: number;
  message: string;
}

const list = (items: readonly string[]): string => items.join(', ');
/** The service behind a well-known socket of a container runtime. */
const runtimeUnit = (socket: string): string => /crio|cri-docker/.exec(socket)?.[0] ?? 'containerd';
const MAKE_TOKEN = 'Make a new token on a control-plane node: kubeadm token create --print-join-command';
const RERUN = 'run the same command again';
const REPORT =
  'This is a bug in the phase, not in what you typed. Please report it with the output of the same command.';

const catalog = {
  E_API_ANSWER: (d: { server: string; what: string }) => ({
    message: `${d.server} gave an answer that makes no sense: ${d.what}`,
    hint: 'Check that the address is the API server itself, and not a proxy or another service.',
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_API_CERTIFICATE_NAME: (d: { server: string; names: string }) => ({
    message: `${d.server} shows a certificate that is not for that address, but for ${d.names}`,
    hint: 'Join by an address that the certificate names, or add this one to apiServer.certSANs on the control plane.',
    exitCode: EXIT.trust,
  }),
  E_API_CERTIFICATE_TIME: (d: { server: string; what: string }) => ({
    message: `the certificate of ${d.server} does not hold now: ${d.what}`,
    hint: "Compare this machine's clock with the server's (date -u); if it is right, the certificate needs renewal: kubeadm certs renew apiserver",
    exitCode: EXIT.trust,
  }),
  E_API_CERTIFICATE_UNTRUSTED: (d: { server: string; what: string }) => ({
    message: `${d.server} shows a certificate that no trusted CA has signed (${d.what})`,
    hint: 'Somebody may stand between this machine and the cluster. If the CA was changed lately, pin the new one too: repeat --discovery-token-ca-cert-hash',
    exitCode: EXIT.trust,
  }),
  E_API_FORBIDDEN: (d: { server: string; what: string; message: string }) => ({
    message: `${d.server} does not allow to ${d.what}: ${d.message}`,
    hint: 'The roles that kubeadm init makes for joining may be missing: kubeadm init phase bootstrap-token (on a control-plane node) restores them.',
    exitCode: EXIT.cluster,
  }),
  E_API_REFUSED: (d: { server: string; what: string; status: number; message: string }) => ({
    message: `${d.server} refused to ${d.what}: ${d.status} ${d.message}`,
    hint: "The message is the API server's own; look into its log for more.",
    exitCode: EXIT.cluster,
  }),
  E_API_UNAVAILABLE: (d: { server: string; what: string; status: number; message: string }) => ({
    message: `${d.server} could not ${d.what} just now: ${d.status} ${d.message}`,
    hint: `The API server is overloaded or still starting. When it is up, ${RERUN}.`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_API_UNAUTHORIZED: (d: { server: string; what: string }) => ({
    message: `${d.server} does not accept our credentials to ${d.what}`,
    hint: `The token may have expired, or may not be for authentication. ${MAKE_TOKEN}`,
    exitCode: EXIT.cluster,
  }),
  E_API_UNREACHABLE: (d: { server: string; what: string }) => ({
    message: `${d.server} does not answer: ${d.what}`,
    hint: `Is the address right, the control plane up, and port open from here? Try: curl -k ${d.server}/healthz`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_ATTEMPT_ENDED: (d: { what: string }) => ({
    message: `a phase went on after its attempt had ended: ${d.what} was refused`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_CANCELLED: (d: { signal: string }) => ({
    message: `stopped by ${d.signal}`,
    hint: `To go on, ${RERUN}.`,
    exitCode: EXIT.cancelled,
  }),
  E_CA_FILE_DIFFERS: (d: { path: string; found: string; wanted: string }) => ({
    message: `${d.path} holds another CA (${d.found}) than the cluster's (${d.wanted})`,
    hint: `It is left from another cluster, or is not meant for this machine. If nothing here needs it: rm ${d.path}`,
    exitCode: EXIT.machine,
  }),
  E_CA_PIN_MISMATCH: (d: { server: string; pinned: readonly string[]; seen: readonly string[] }) => ({
    message: `${d.server} presents CA key ${list(d.seen)}, but only ${list(d.pinned)} is pinned`,
    hint: 'Do not join. Ask whoever runs the cluster for the pin, and compare it by another channel.',
    exitCode: EXIT.trust,
  }),
  E_CERTIFICATE_WRONG: (d: { csr: string; problems: readonly string[] }) => ({
    message: `the certificate issued for ${d.csr} is not the one asked for: ${list(d.problems)}`,
    hint: `Nothing was written. See what signed it: kubectl get csr ${d.csr} -o yaml`,
    exitCode: EXIT.trust,
  }),
  E_CGROUP_DRIVER: (d: { kubelet: string; runtime: string; socket: string }) => ({
    message: `the kubelet would use the cgroup driver ${d.kubelet}, but the container runtime at ${d.socket} uses ${d.runtime}`,
    hint: "Make them equal: SystemdCgroup in /etc/containerd/config.toml, or cgroupDriver in the cluster's kubelet-config ConfigMap.",
    exitCode: EXIT.machine,
  }),
  E_CLOCK_SKEW: (d: { server: string; skewSeconds: number }) => ({
    message: `this machine's clock is ${Math.abs(d.skewSeconds)} s ${d.skewSeconds > 0 ? 'behind' : 'ahead of'} that of ${d.server}`,
    hint: 'Certificates are valid by the clock. Set it, by timedatectl set-ntp true or your NTP service, and join again.',
    exitCode: EXIT.trust,
  }),
  E_CLUSTER_INFO_CHANGED: (d: { server: string }) => ({
    message: `${d.server} gave one cluster-info to anybody and another one behind the pinned certificate`,
    hint: 'Somebody may stand between this machine and the cluster: do not join over this network. If cluster-info was changed just now, run the command again.',
    exitCode: EXIT.trust,
  }),
  E_CLUSTER_INFO_INVALID: (d: { server: string; what: string }) => ({
    message: `the cluster-info of ${d.server} cannot be used: ${d.what}`,
    hint: 'See it: kubectl -n kube-public get configmap cluster-info -o yaml. kubeadm init phase bootstrap-token makes it anew.',
    exitCode: EXIT.cluster,
  }),
  E_CLUSTER_INFO_MISSING: (d: { server: string; status: number }) => ({
    message: `${d.server} does not show its cluster-info to the public (${d.status})`,
    hint:
      d.status === 404
        ? 'The cluster was not set up for tokens: kubeadm init phase bootstrap-token (on a control-plane node) does it.'
        : 'Public access may have been turned off on purpose. Ask for a discovery file, or restore the RoleBinding kubeadm:bootstrap-signer-clusterinfo in kube-public.',
    exitCode: EXIT.cluster,
  }),
  E_CLUSTER_INFO_SIGNATURE: (d: { server: string; tokenId: string }) => ({
    message: `the cluster-info of ${d.server} is not signed by token ${d.tokenId}`,
    hint: `The secret half of the token may be mistyped, or this is not your cluster. ${MAKE_TOKEN}`,
    exitCode: EXIT.trust,
  }),
  E_COMMAND_FAILED: (d: { command: string; exitCode: number; output: string }) => ({
    message: `${d.command} ended with ${d.exitCode}: ${d.output}`,
    hint: `Run it by hand to see more: ${d.command}`,
    exitCode: EXIT.machine,
  }),
  E_CRI_ABSENT: (d: { socket: string }) => ({
    message: `what listens at ${d.socket} offers no container runtime interface: neither CRI v1 nor v1alpha2`,
    hint: 'If it is containerd, remove cri from disabled_plugins in /etc/containerd/config.toml, then: systemctl restart containerd',
    exitCode: EXIT.machine,
  }),
  E_CRI_REFUSED: (d: { socket: string; what: string; message: string }) => ({
    message: `the container runtime at ${d.socket} could not ${d.what}: ${d.message}`,
    hint: `The message is the runtime's own; read on in its log: journalctl -u ${runtimeUnit(d.socket)} -n 50`,
    exitCode: EXIT.machine,
  }),
  E_CRI_SOCKETS: (d: { sockets: readonly string[] }) => ({
    message: `this machine has several container runtimes: ${list(d.sockets)}`,
    hint: `Say which one: --cri-socket ${d.sockets[0]}`,
    exitCode: EXIT.usage,
  }),
  E_CRI_UNREACHABLE: (d: { socket: string; what: string }) => ({
    message: `the container runtime at ${d.socket} does not answer: ${d.what}`,
    hint: `See whether it runs: systemctl status ${runtimeUnit(d.socket)}. Another one is chosen by --cri-socket`,
    exitCode: EXIT.machine,
    transient: true,
  }),
  E_CSR_CONFLICT: (d: { csr: string; what: string }) => ({
    message: `there is a CertificateSigningRequest ${d.csr} that is not ours: ${d.what}`,
    hint: `If nobody needs it: kubectl delete csr ${d.csr}`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_DENIED: (d: { csr: string; reason: string; message: string }) => ({
    message: `${d.csr} was denied: ${d.reason} ${d.message}`,
    hint: `Somebody refused this machine. Ask them; the next join sends a new request. See: kubectl describe csr ${d.csr}`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_FAILED: (d: { csr: string; reason: string; message: string }) => ({
    message: `the signer could not sign ${d.csr}: ${d.reason} ${d.message}`,
    hint: `See: kubectl describe csr ${d.csr}, and the log of kube-controller-manager.`,
    exitCode: EXIT.cluster,
  }),
  E_CSR_GONE: (d: { csr: string }) => ({
    message: `${d.csr} was deleted while we waited for it`,
    hint: `To send a new one, ${RERUN}.`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_EFFECT_UNDECLARED: (d: { what: string }) => ({
    message: `a phase tried something it does not declare: ${d.what}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_FILE: (d: { path: string; what: string }) => ({
    message: `${d.path}: ${d.what}`,
    hint: 'Check who owns it, whether its file system is full (df) or read-only (mount), and that we run as root.',
    exitCode: EXIT.machine,
  }),
  E_HEALTH: (d: { service: string; url: string; lastLine: string }) => ({
    message: `the ${d.service} does not become healthy at ${d.url}. Its last words: ${d.lastLine}`,
    hint: `Read on: journalctl -u ${d.service} -n 50. When the reason is gone, ${RERUN}.`,
    exitCode: EXIT.machine,
  }),
  E_INPUT: (d: { problems: readonly string[] }) => ({
    message: d.problems.join('\n'),
    hint: 'join run --help shows every flag.',
    exitCode: EXIT.usage,
  }),
  E_JOURNAL_DAMAGED: (d: { file: string; line: number; what: string }) => ({
    message: `line ${d.line} of ${d.file} is not as it was written: ${d.what}`,
    hint: 'Its disk may be failing. Undo by hand what its lines tell (they are JSON), then: join runs prune with the id of that run',
    exitCode: EXIT.machine,
  }),
  E_JOURNAL_VERSION: (d: { file: string; version: number; known: number }) => ({
    message: `${d.file} is of version ${d.version}, and this Joinery knows ${d.known}`,
    hint: 'Resume or undo that run with the Joinery that began it.',
    exitCode: EXIT.machine,
  }),
  E_KUBELET_CONFIG: (d: { what: string }) => ({
    message: `the cluster's kubelet configuration cannot be used: ${d.what}`,
    hint: 'See it: kubectl -n kube-system get configmap -o yaml kubelet-config (kubelet-config-1.X before 1.24).',
    exitCode: EXIT.cluster,
  }),
  E_NODE_EXISTS: (d: { node: string }) => ({
    message: `the cluster has a Ready node named ${d.node}, and this machine does not hold its identity`,
    hint: `Join under another name (--node-name), or, if that machine is gone: kubectl delete node ${d.node}`,
    exitCode: EXIT.cluster,
  }),
  E_OTHER_CLUSTER: (d: { path: string; server: string }) => ({
    message: `${d.path} is this machine's identity in another cluster`,
    hint: `To leave that one: kubeadm reset. Then join ${d.server} again.`,
    exitCode: EXIT.machine,
  }),
  E_OUTPUT: (d: { phase: string; problems: readonly string[] }) => ({
    message: `phase ${d.phase} returned what its schema does not allow: ${list(d.problems)}`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_PHASE_UNKNOWN: (d: { phase: string; nearest: string | undefined }) => ({
    message: `there is no phase ${d.phase}${d.nearest === undefined ? '' : `; did you mean ${d.nearest}?`}`,
    hint: 'join phase lists them.',
    exitCode: EXIT.usage,
  }),
  E_PIPELINE: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint: 'The language is described in schemas/pipeline.schema.json; join pipeline validate FILE checks without running.',
    exitCode: EXIT.pipeline,
  }),
  E_PIPELINE_FILE: (d: { file: string; what: string }) => ({
    message: `pipeline ${d.file} cannot be read: ${d.what}`,
    hint: 'Give a file, or leave out --pipeline for the pipeline that ships with Joinery.',
    exitCode: EXIT.pipeline,
  }),
  E_PREFLIGHT: (d: { checks: readonly CheckResult[] }) => {
    const failed = d.checks.filter(({ result }) => result === 'error');
    const lines = failed.flatMap(({ check, evidence, hint }) => [`  [${check}] ${evidence}`, `    → ${hint}`]);
    const names = [...new Set(failed.map(({ check }) => check))];
    return {
      message: ['this machine is not ready to join:', ...lines].join('\n'),
      hint: `Mend these, or go on regardless: --ignore-preflight-errors=${names.join(',')}`,
      exitCode: EXIT.preflight,
    };
  },
  E_PROGRAM_MISSING: (d: { program: string }) => ({
    message: `${d.program} is not on PATH`,
    hint: `Install it (apt-get install ${d.program}, or your distribution's package), and join again.`,
    exitCode: EXIT.machine,
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
  E_SERVICE_FAILED: (d: { service: string; lastLine: string }) => ({
    message: `the ${d.service} ends as soon as it starts. Its last words: ${d.lastLine}`,
    hint: `Read on: journalctl -u ${d.service} -n 50. When the reason is gone, ${RERUN}.`,
    exitCode: EXIT.machine,
  }),
  E_SERVICE_MISSING: (d: { service: string; manager: string }) => ({
    message: `${d.manager} knows no service ${d.service}`,
    hint: `Install it (apt-get install ${d.service}, or your distribution's package), and join again.`,
    exitCode: EXIT.machine,
  }),
  E_STEP_STUCK: (d: { step: string; graceMs: number }) => ({
    message: `step ${d.step} did not stop within ${d.graceMs / 1000} s of being told to`,
    hint: REPORT,
    exitCode: EXIT.bug,
  }),
  E_STEP_TIME_LIMIT: (d: { step: string; limitMs: number }) => ({
    message: `step ${d.step} did not end within its time limit of ${d.limitMs / 1000} s`,
    hint: 'The limit is `timeout` of that step in the pipeline; --pipeline FILE runs your own.',
    exitCode: EXIT.timeLimit,
  }),
  E_TOKEN_UNKNOWN: (d: { server: string; tokenId: string }) => ({
    message: `${d.server} knows no token ${d.tokenId}: it was deleted, has expired, or is not for signing`,
    hint: MAKE_TOKEN,
    exitCode: EXIT.trust,
    transient: true, // the signer signs a moment after a token was made
  }),
  E_UNDO_REFUSED: (d: { run: string; steps: readonly string[] }) => ({
    message: `not everything of run ${d.run} is taken back: see above what is left of ${list(d.steps)}`,
    hint: `When the reasons are gone: join undo ${d.run}. To lose what somebody else has changed since: join undo ${d.run} --overwrite`,
    exitCode: EXIT.machine,
  }),
  E_UNDO_UNCONFIRMED: (d: { run: string }) => ({
    message: 'nobody can be asked here whether to undo, so nothing was done',
    hint: `To do what is listed above: join undo ${d.run} --yes`,
    exitCode: EXIT.usage,
  }),
  E_UNDECIDED: (d: { what: string }) => ({
    message: `a dry run cannot know ${d.what}`,
    hint: 'The steps that depend on it are not part of the plan: run without --dry-run to have them done.',
    exitCode: EXIT.bug,
  }),
  E_VERSION_SKEW: (d: { kubelet: string; cluster: string; minorsMax: number }) => ({
    message: `the kubelet is ${d.kubelet} and the cluster ${d.cluster}, but a kubelet may be ${d.minorsMax} minor versions older than its API server at most, and never newer`,
    hint: `Install a kubelet of ${d.cluster}. Or go on regardless: --ignore-preflight-errors=KubeletVersion`,
    exitCode: EXIT.machine,
  }),
} satisfies Record<`E_${string}`, (facts: never) => Words>;

export type ErrorCode = keyof typeof catalog;
export const errorCodes = Object.keys(catalog) as ErrorCode[];
export type Facts<C extends ErrorCode> = Parameters<(typeof catalog)[C]>[0];

/** Shorthand for `throw fail('E_…', facts)`. */
export function fail<C extends ErrorCode>(code: C, facts: Facts<C>, cause?: unknown): JoinError {
  const words = catalog[code] as (facts: Facts<C>) => Words; // each entry takes its own facts; C ties the two together
  return new JoinError(code, words(facts), facts, cause);
}
