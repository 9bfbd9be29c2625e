/** Findings from the machine itself. */
import { type KubeletIdentity, paths } from '../../engine/node/index.ts';
import { clean, fail, type Ports, parseYaml } from '../../engine/sdk/index.ts';
import { type Finding, findingOf } from './finding.ts';

type Held = KubeletIdentity | undefined;

const APPROVE = 'kubectl get csr\nkubectl certificate approve NAME # if one is Pending';
const JOIN_AGAIN = 'to be able to join again: join reset';

export async function identityFinding({ files, clock }: Ports, held: Held): Promise<Finding> {
  const check = 'identity';
  if (held === undefined) {
    const [conf, bootstrap] = await Promise.all([
      files.stat(paths.kubeletConf),
      files.stat(paths.bootstrapKubeletConf),
    ]);
    if (bootstrap !== undefined)
      return { check, state: 'note', what: 'the kubelet does not have its certificate yet', next: APPROVE };
    if (conf === undefined) return { check, state: 'note', what: 'this machine has not joined a cluster' };
    const what = `${paths.kubeletConf} exists, but without a usable certificate and key`;
    return { check, state: 'problem', what, next: JOIN_AGAIN };
  }
  const until = held.notAfter.toISOString().slice(0, 10);
  if (held.nodeName === '')
    return { check, state: 'problem', what: 'its certificate does not belong to a node', next: JOIN_AGAIN };
  if (held.notAfter <= clock.now()) {
    const what = `the certificate of ${held.nodeName} expired on ${until}`;
    return {
      check,
      state: 'problem',
      what,
      next: 'check the clock with date -u; if it is right, run the join command again',
    };
  }
  return {
    check,
    state: 'ok',
    what: `this machine is ${held.nodeName} in ${clean(held.server)}; its certificate expires on ${until}`,
  };
}

/** Checks the files that a joined machine needs, and the one that must be gone. */
export async function fileFindings({ files }: Ports, held: Held, progress: string | undefined): Promise<Finding[]> {
  if (held === undefined) return [];
  if (progress !== undefined) return [{ check: 'files', state: 'note', what: `not complete yet: ${progress}` }];
  const check = 'files';
  const findings: Finding[] = [];
  for (const path of [paths.kubeletConfig, paths.kubeadmFlags, paths.caCert])
    if ((await files.stat(path)) === undefined)
      findings.push({ check, state: 'problem', what: `${path} is missing`, next: 'run the join command again' });
  try {
    parseYaml((await files.read(paths.kubeletConfig))?.toString('utf8') ?? '');
  } catch (error) {
    const what = `${paths.kubeletConfig}: ${clean((error as Error).message)}`;
    findings.push(findingOf(check, fail('E_KUBELET_CONFIG', { what })));
  }
  if ((await files.stat(paths.bootstrapKubeletConf)) !== undefined) {
    const what = `${paths.bootstrapKubeletConf} still contains a bootstrap token, which is no longer needed`;
    findings.push({ check, state: 'problem', what, next: `rm ${paths.bootstrapKubeletConf}` });
  }
  return findings.length > 0 ? findings : [{ check, state: 'ok', what: 'all files of a join exist' }];
}

export async function serviceFinding(
  { services, commands }: Ports,
  held: Held,
  progress: string | undefined,
): Promise<Finding[]> {
  const check = 'kubelet';
  const { manager, exists, masked, active, failed } = await services.status('kubelet');
  if (manager === 'none')
    return [
      { check, state: 'unknown', what: 'the state of the kubelet is unknown: there is no systemd and no OpenRC' },
    ];
  if (masked === true)
    return [{ check, state: 'problem', what: 'its service is masked', next: 'systemctl unmask kubelet' }];
  if (!exists) return [findingOf(check, fail('E_SERVICE_MISSING', { service: 'kubelet', manager }))];
  if (active && !failed) return [{ check, state: 'ok', what: 'its service is running' }];
  if (progress !== undefined) return [{ check, state: 'note', what: notStarted(progress) }];
  if (held === undefined)
    return [{ check, state: 'note', what: 'its service is not running (expected before a join)' }];
  const what = active ? 'its service keeps restarting' : 'its service is not running';
  const next = active ? 'journalctl -u kubelet -n 50' : start(manager);
  return [{ check, state: 'problem', what: `${what}${await lastLogLine(commands)}`, next }];
}

/** Starting the kubelet by hand would skip the steps in between. */
export const notStarted = (progress: string): string => `not started yet: ${progress}`;

const start = (manager: string): string =>
  manager === 'systemd' ? 'systemctl start kubelet' : 'rc-service kubelet start';

async function lastLogLine(commands: Ports['commands']): Promise<string> {
  if ((await commands.find('journalctl')) === undefined) return '';
  const { stdout } = await commands.query(['journalctl', '-u', 'kubelet', '-n', '1', '-o', 'cat', '--no-pager']);
  return stdout.trim() === '' ? '' : `; last log line: ${clean(stdout)}`;
}
