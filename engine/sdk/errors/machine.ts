/** Problems of this machine: checks, files, services and time limits. */

import { list, RERUN, UPLOAD_CERTS } from './hints.ts';
import { type ErrorText, EXIT } from './join-error.ts';
import type { CheckResult } from './problem.ts';

/** The systemd unit that usually serves a container runtime socket. */
const runtimeUnit = (socket: string): string => /crio|cri-docker/.exec(socket)?.[0] ?? 'containerd';

/** The ID of a run, taken from the path of its journal. */
const runIn = (file: string): string => /([^/]+)\/journal\.jsonl$/.exec(file)?.[1] ?? 'RUN';

/** Where the version of the cluster came from. */
const CLUSTER_VERSION = 'kubernetesVersion in ConfigMap kube-system/kubeadm-config';

export const machine = {
  E_CA_FILE_DIFFERS: (d: { path: string; found: string; wanted: string }) => ({
    message: `${d.path} contains another CA (${d.found}) than the cluster uses (${d.wanted})`,
    hint: `The file may come from another cluster. If nothing on this machine needs it: rm ${d.path}`,
    exitCode: EXIT.machine,
  }),
  /** Each problem names a file. */
  E_CONTROL_PLANE_CERTIFICATES: (d: { problems: readonly string[] }) => ({
    message: `the certificates on this machine do not make a control plane: ${list(d.problems)}`,
    hint: `To get those that all control planes share, pass --certificate-key. ${UPLOAD_CERTS}`,
    exitCode: EXIT.machine,
  }),
  E_CGROUP_DRIVER: (d: { kubelet: string; origin: string; runtime: string; socket: string }) => ({
    message:
      `the kubelet would use the cgroup driver ${d.kubelet} (${d.origin}), but the container runtime at ${d.socket} ` +
      `uses ${d.runtime}`,
    hint:
      'Set both to the same driver: SystemdCgroup in /etc/containerd/config.toml, or cgroupDriver in the ' +
      "cluster's kubelet-config ConfigMap.",
    exitCode: EXIT.machine,
  }),
  E_CGROUP_V1: (d: { kubelet: string; origin: string }) => ({
    message: `this machine has cgroups v1, and a kubelet ${d.kubelet} does not start on them (${d.origin})`,
    hint:
      "Boot with systemd.unified_cgroup_hierarchy=1, or set failCgroupV1: false in the cluster's kubelet-config " +
      'ConfigMap.',
    exitCode: EXIT.machine,
  }),
  /** Without an exit code: it did not start, or was ended. */
  E_COMMAND_FAILED: (d: { command: string; exitCode?: number; output: string }) => ({
    message:
      `${d.command} ${d.exitCode === undefined ? 'failed' : `exited with code ${d.exitCode}`}` +
      (d.output === '' ? '' : `: ${d.output}`),
    hint: `Run it by hand to see its full output: ${d.command}`,
    exitCode: EXIT.machine,
  }),
  E_CRI_ABSENT: (d: { socket: string }) => ({
    message: `the service at ${d.socket} implements neither CRI v1 nor CRI v1alpha2`,
    hint:
      'If it is containerd, delete cri from disabled_plugins in /etc/containerd/config.toml. Then run: ' +
      'systemctl restart containerd',
    exitCode: EXIT.machine,
  }),
  E_CRI_REFUSED: (d: { socket: string; what: string; message: string }) => ({
    message: `the container runtime at ${d.socket} could not ${d.what}: ${d.message}`,
    hint: `The container runtime wrote this message. Read its log: journalctl -u ${runtimeUnit(d.socket)} -n 50`,
    exitCode: EXIT.machine,
  }),
  E_CRI_UNREACHABLE: (d: { socket: string; what: string }) => ({
    message: `the container runtime at ${d.socket} does not answer: ${d.what}`,
    hint:
      `Check whether it is running: systemctl status ${runtimeUnit(d.socket)}. To use another runtime, set ` +
      '--cri-socket',
    exitCode: EXIT.machine,
    transient: true,
  }),
  E_DYNAMIC_CONFIG_IGNORED: (d: { node: string; said: string }) => ({
    message:
      `the kubelet of ${d.node} does not use the spec.configSource of its ` +
      `Node${d.said === '' ? '' : `: ${d.said}`}`,
    hint:
      'The kubelet needs --dynamic-config-dir. Add it to KUBELET_EXTRA_ARGS in /etc/default/kubelet, then ' +
      `run: systemctl restart kubelet\n  → Then ${RERUN}.`,
    exitCode: EXIT.timeLimit,
  }),
  E_ETCD_DATA: (d: { path: string; names: readonly string[] }) => ({
    message: `${d.path} holds data of an etcd (${list(d.names)}), and this machine is not a member of the cluster's`,
    hint: `Check that nothing needs the data, and move it away: mv ${d.path} ${d.path}.old`,
    exitCode: EXIT.machine,
  }),
  E_FILE: (d: { path: string; what: string }) => ({
    message: `${d.path}: ${d.what}`,
    hint: / in the way of /.test(d.what)
      ? `Move it away: mv ${d.path} ${d.path}.old. Then ${RERUN}.`
      : 'Check the owner, whether the file system is full (df) or read-only (mount), and whether Joinery runs as root.',
    exitCode: EXIT.machine,
  }),
  E_HEALTH: (d: { service: string; url: string; lastLine: string }) => ({
    message: `nothing healthy answers at ${d.url} (last log line of the ${d.service}: ${d.lastLine})`,
    hint: `Read its log: journalctl -u ${d.service} -n 50. When the cause is fixed, ${RERUN}.`,
    exitCode: EXIT.machine,
  }),
  E_HEALTH_ADDRESS: (d: { service: string; url: string }) => ({
    message: `the health check of the ${d.service} is at ${d.url}, which is not an address of this machine`,
    hint:
      "For the kubelet, set healthzBindAddress to 127.0.0.1, in the cluster's ConfigMap kubelet-config or with " +
      `--patches. Then ${RERUN}.`,
    exitCode: EXIT.machine,
  }),
  E_HEALTH_TAKEN: (d: { service: string; url: string }) => ({
    message: `another process already listens where the ${d.service} would answer its health check: ${d.url}`,
    hint:
      `Another ${d.service} may be running. Find the process: ss -ltnp. Stop it, or set another healthzPort with ` +
      `--patches. Then ${RERUN}.`,
    exitCode: EXIT.machine,
  }),
  E_JOURNAL_DAMAGED: (d: { file: string; line: number; what: string }) => ({
    message: `${d.file} is damaged at line ${d.line}: ${d.what}`,
    hint:
      `The disk may be failing. Roll back the changes that are still readable: join undo --salvage ${runIn(d.file)}\n` +
      `  → Or only delete the run record: join runs prune ${runIn(d.file)}`,
    exitCode: EXIT.machine,
  }),
  E_JOURNAL_LIMIT: (d: { record: string; what: string }) => ({
    message: `${d.record} does not fit into the journal: ${d.what}`,
    hint:
      'Joinery did not apply the change, because it could not undo it without a record. ' +
      'Use smaller values, or split the pipeline into several.',
    exitCode: EXIT.machine,
  }),
  E_JOURNAL_SHARED: (d: { file: string; lengthBytes: number; found: number | undefined }) => ({
    message:
      `another process changed ${d.file} during this run: it ` +
      (d.found === undefined ? 'was deleted' : `has ${d.found} bytes instead of ${d.lengthBytes}`),
    hint:
      'This run made no change after that. Find the other process (ps -C node -f, also in containers), wait until ' +
      'it ends, and see what is recorded: join runs',
    exitCode: EXIT.machine,
  }),
  E_JOURNAL_VERSION: (d: { file: string; version: number; known: number }) => ({
    message: `${d.file} has the journal version ${d.version}; this version of Joinery supports ${d.known}`,
    hint: 'Resume or undo the run with the version of Joinery that started it.',
    exitCode: EXIT.machine,
  }),
  E_KUBELET_BOOTSTRAP: (d: { node: string; lastLine: string }) => ({
    message:
      `the kubelet did not get the certificate of node ${d.node} within the time limit ` +
      `(last log line: ${d.lastLine})`,
    hint:
      'Check whether its request awaits approval: kubectl get csr; kubectl certificate approve NAME. If it never ' +
      `sent one, read its log: journalctl -u kubelet -n 50. Then ${RERUN}.`,
    exitCode: EXIT.timeLimit,
  }),
  E_OPEN_FILES: (d: { limit: 'EMFILE' | 'ENFILE'; place: string | undefined }) => ({
    message:
      `${d.limit === 'EMFILE' ? 'this process' : 'this machine'} has too many open files (${d.limit})` +
      (d.place === undefined ? '' : `, and needs one more for ${d.place}`),
    hint:
      d.limit === 'EMFILE'
        ? `Raise the limit of this shell: ulimit -n 65536. Then ${RERUN}.`
        : `See how many are open, and the limit: cat /proc/sys/fs/file-nr. To raise it: sysctl -w fs.file-max=1000000`,
    exitCode: EXIT.machine,
    transient: d.limit === 'ENFILE', // other processes may close files
  }),
  E_OTHER_CLUSTER: (d: { path: string; server: string }) => ({
    message: `${d.path} belongs to another cluster: this machine has already joined it`,
    hint: `To join ${d.server}, first leave the other cluster: join reset`,
    exitCode: EXIT.machine,
  }),
  E_PREFLIGHT: (d: { checks: readonly CheckResult[] }) => {
    const failed = d.checks.filter(({ result }) => result === 'error');
    const lines = failed.flatMap(({ check, evidence, hint }) => [`  [${check}] ${evidence}`, `    → ${hint}`]);
    const names = [...new Set(failed.map(({ check }) => check))];
    return {
      message: ['this machine is not ready to join:', ...lines].join('\n'),
      hint: `Fix these, or ignore them with --ignore-preflight-errors=${names.join(',')}`,
      exitCode: EXIT.preflight,
    };
  },
  E_PROGRAM_MISSING: (d: { program: string; package?: string }) => ({
    message: `${d.program} was not found on PATH`,
    hint:
      `Install it (apt-get install ${d.package ?? d.program}, or the package of your distribution), and join ` +
      'again.',
    exitCode: EXIT.machine,
  }),
  E_SERVICE_ACTION: (d: { service: string; action: string; manager: string }) => ({
    message: `${d.manager} cannot ${d.action} the service ${d.service}: it does not support this action`,
    hint: 'Only systemd supports it. Omit the action on this machine.',
    exitCode: EXIT.machine,
  }),
  E_SERVICE_FAILED: (d: { service: string; lastLine: string }) => ({
    message: `the ${d.service} exits right after it starts (last log line: ${d.lastLine})`,
    hint: `Read its log: journalctl -u ${d.service} -n 50. When the cause is fixed, ${RERUN}.`,
    exitCode: EXIT.machine,
  }),
  E_SERVICE_MANAGER: (d: { program: string; what: string }) => ({
    message: `${d.program} cannot ask the service manager: ${d.what}`,
    hint:
      'Boot this machine with its service manager; in a container, use an image that boots systemd. To start the ' +
      `kubelet yourself, take ${d.program} off PATH.`,
    exitCode: EXIT.machine,
  }),
  E_SERVICE_UNUSABLE: (d: { service: string; what: string; fix: string }) => ({
    message: `the service ${d.service} cannot be started: ${d.what}`,
    hint: `Fix it: ${d.fix}\n  → Then ${RERUN}.`,
    exitCode: EXIT.machine,
  }),
  E_SERVICE_MISSING: (d: { service: string; manager: string }) => ({
    message: `${d.manager} has no service named ${d.service}`,
    hint: `Install it (apt-get install ${d.service}, or the package of your distribution), and join again.`,
    exitCode: EXIT.machine,
  }),
  E_STDOUT: (d: { what: string }) => ({
    message: `standard output could not be written completely: ${d.what}`,
    hint: 'Check whether its file system is full: df. Then run the command again.',
    exitCode: EXIT.machine,
  }),
  E_STEP_TIME_LIMIT: (d: { step: string; limitMs: number; isTotal?: boolean; witness?: string }) => ({
    message:
      `step ${d.step} did not finish within its time limit of ${d.limitMs / 1000} ` +
      `s${d.isTotal === true ? ' for all attempts' : ''}${d.witness === undefined ? '' : `: ${d.witness}`}`,
    hint:
      'The limit is `timeout` of the step in the pipeline. To change it, run your own copy of the pipeline ' +
      'with --pipeline FILE.',
    exitCode: EXIT.timeLimit,
  }),
  E_WAIT: (d: { what: string; said: string }) => ({
    message: `timed out waiting for ${d.what}${d.said === '' ? '' : ` (last error: ${d.said})`}`,
    hint:
      'Check whether it is running. If it only needs more time, raise `timeout` of the step in the pipeline. ' +
      `Then ${RERUN}.`,
    exitCode: EXIT.timeLimit,
  }),
  E_UNDO_FAILED: (d: { run: string; steps: readonly { id: string; why: string }[] }) => ({
    message:
      `run ${d.run} was only partly undone, because the undo failed in ` +
      list(d.steps.map(({ id, why }) => `${id} (${why})`)),
    hint:
      `When the cause is fixed, run: join undo ${d.run}\n  → To leave what cannot be undone as it is: ` +
      `join undo ${d.run} ${d.steps.map(({ id }) => `--skip ${id}`).join(' ')}`,
    exitCode: EXIT.machine,
  }),
  E_UNDO_REFUSED: (d: { run: string; steps: readonly string[] }) => ({
    message: `run ${d.run} was only partly undone: the remaining changes of ${list(d.steps)} are listed above`,
    hint:
      `When the causes are fixed, run: join undo ${d.run}\n` +
      `  → To discard later changes by others: join undo ${d.run} --overwrite`,
    exitCode: EXIT.machine,
  }),
  E_VERSION_TOO_NEW: (d: { kubelet: string; cluster: string }) => ({
    message:
      `the kubelet is ${d.kubelet} and the cluster is ${d.cluster} (${CLUSTER_VERSION}); kubeadm of the kubelet's ` +
      'release joins no cluster that is more than one minor version older',
    hint: `Install a kubelet of version ${d.cluster}. This check cannot be ignored.`,
    exitCode: EXIT.machine,
  }),
  E_VERSION_SKEW: (d: { kubelet: string; cluster: string; minorsMax: number }) => ({
    message:
      `the kubelet is ${d.kubelet} and the cluster is ${d.cluster} (${CLUSTER_VERSION}); a kubelet may be at most ` +
      `${d.minorsMax} minor versions older than its API server, and never newer`,
    hint:
      `Install a kubelet of version ${d.cluster}, or ignore this check with ` +
      '--ignore-preflight-errors=KubeletVersion',
    exitCode: EXIT.machine,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
