/** Errors of this machine: its checks, its files and services, its time. */

import { type ErrorText, EXIT } from './join-error.ts';
import type { CheckResult } from './problem.ts';
import { list, RERUN } from './words.ts';

/** The service behind a well-known socket of a container runtime. */
const runtimeUnit = (socket: string): string => /crio|cri-docker/.exec(socket)?.[0] ?? 'containerd';

export const machine = {
  E_CA_FILE_DIFFERS: (d: { path: string; found: string; wanted: string }) => ({
    message: `${d.path} holds another CA (${d.found}) than the cluster's (${d.wanted})`,
    hint: `It is left from another cluster, or is not meant for this machine. If nothing here needs it: rm ${d.path}`,
    exitCode: EXIT.machine,
  }),
  E_CGROUP_DRIVER: (d: { kubelet: string; runtime: string; socket: string }) => ({
    message: `the kubelet would use the cgroup driver ${d.kubelet}, but the container runtime at ${d.socket} uses ${d.runtime}`,
    hint: "Make them equal: SystemdCgroup in /etc/containerd/config.toml, or cgroupDriver in the cluster's kubelet-config ConfigMap.",
    exitCode: EXIT.machine,
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
  E_CRI_UNREACHABLE: (d: { socket: string; what: string }) => ({
    message: `the container runtime at ${d.socket} does not answer: ${d.what}`,
    hint: `See whether it runs: systemctl status ${runtimeUnit(d.socket)}. Another one is chosen by --cri-socket`,
    exitCode: EXIT.machine,
    transient: true,
  }),
  E_DYNAMIC_CONFIG_IGNORED: (d: { node: string; said: string }) => ({
    message: `the kubelet of ${d.node} does not take up the spec.configSource of its Node${d.said === '' ? '' : `: ${d.said}`}`,
    hint: 'It must run with --dynamic-config-dir: put it into KUBELET_EXTRA_ARGS in /etc/default/kubelet, then: systemctl restart kubelet; join resume',
    exitCode: EXIT.timeLimit,
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
  E_KUBELET_BOOTSTRAP: (d: { node: string }) => ({
    message: `the kubelet has not got the certificate of node ${d.node} in time`,
    hint: 'See whether its request waits for somebody: kubectl get csr; kubectl certificate approve NAME. If there is none, read on: journalctl -u kubelet -n 50. Then: join resume',
    exitCode: EXIT.timeLimit,
  }),
  E_OTHER_CLUSTER: (d: { path: string; server: string }) => ({
    message: `${d.path} is this machine's identity in another cluster`,
    hint: `To leave that one: kubeadm reset. Then join ${d.server} again.`,
    exitCode: EXIT.machine,
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
  E_SERVICE_ACTION: (d: { service: string; action: string; manager: string }) => ({
    message: `${d.manager} cannot ${d.action} the service ${d.service}: it knows no such thing`,
    hint: 'Only systemd can: leave out what asks for it on this machine.',
    exitCode: EXIT.machine,
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
  E_STEP_TIME_LIMIT: (d: { step: string; limitMs: number; isTotal?: boolean }) => ({
    message: `step ${d.step} did not end within its time limit of ${d.limitMs / 1000} s${d.isTotal === true ? ' for all its tries' : ''}`,
    hint: 'The limit is `timeout` of that step in the pipeline; --pipeline FILE runs your own.',
    exitCode: EXIT.timeLimit,
  }),
  E_WAIT: (d: { what: string; said: string }) => ({
    message: `waited for ${d.what} in vain${d.said === '' ? '' : `; the last try ended with: ${d.said}`}`,
    hint: 'See whether what it waits for runs; the limit is `timeout` of that step in the pipeline. Then: join resume',
    exitCode: EXIT.timeLimit,
  }),
  E_UNDO_REFUSED: (d: { run: string; steps: readonly string[] }) => ({
    message: `not everything of run ${d.run} is taken back: see above what is left of ${list(d.steps)}`,
    hint: `When the reasons are gone: join undo ${d.run}. To lose what somebody else has changed since: join undo ${d.run} --overwrite`,
    exitCode: EXIT.machine,
  }),
  E_VERSION_SKEW: (d: { kubelet: string; cluster: string; minorsMax: number }) => ({
    message: `the kubelet is ${d.kubelet} and the cluster ${d.cluster}, but a kubelet may be ${d.minorsMax} minor versions older than its API server at most, and never newer`,
    hint: `Install a kubelet of ${d.cluster}. Or go on regardless: --ignore-preflight-errors=KubeletVersion`,
    exitCode: EXIT.machine,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
