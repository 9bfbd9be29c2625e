/** What can be seen on the machine itself. */
import { type KubeletIdentity, paths } from '../../engine/node/index.ts';
import { clean, fail, type Ports, parseYaml } from '../../engine/sdk/index.ts';
import { type Finding, findingOf } from './finding.ts';

type Held = KubeletIdentity | undefined;

const ASKING = 'kubectl get csr, and kubectl certificate approve NAME where it is Pending';
const ANEW = 'join reset, and join again';

export async function identityFinding({ files, clock }: Ports, held: Held): Promise<Finding> {
  const check = 'identity';
  if (held === undefined) {
    const [conf, bootstrap] = await Promise.all([
      files.stat(paths.kubeletConf),
      files.stat(paths.bootstrapKubeletConf),
    ]);
    if (bootstrap !== undefined)
      return { check, state: 'note', what: 'the kubelet has yet to get its certificate', next: ASKING };
    if (conf === undefined) return { check, state: 'note', what: 'this machine has not joined a cluster' };
    const what = `${paths.kubeletConf} is there, but no certificate and key that it could use`;
    return { check, state: 'problem', what, next: ANEW };
  }
  const until = held.notAfter.toISOString().slice(0, 10);
  if (held.nodeName === '')
    return { check, state: 'problem', what: 'its certificate is for something else than a node', next: ANEW };
  if (held.notAfter <= clock.now()) {
    const what = `the certificate of ${held.nodeName} has expired on ${until}`;
    return { check, state: 'problem', what, next: `date -u, and if the clock is right: the join line again` };
  }
  return { check, state: 'ok', what: `this machine is ${held.nodeName} in ${clean(held.server)}, until ${until}` };
}

/** Of what a joined machine must have, and what it must not have any more. */
export async function fileFindings({ files }: Ports, held: Held): Promise<Finding[]> {
  if (held === undefined) return [];
  const check = 'files';
  const findings: Finding[] = [];
  for (const path of [paths.kubeletConfig, paths.kubeadmFlags, paths.caCert])
    if ((await files.stat(path)) === undefined)
      findings.push({ check, state: 'problem', what: `${path} is not there`, next: 'the join line again' });
  try {
    parseYaml((await files.read(paths.kubeletConfig))?.toString('utf8') ?? '');
  } catch (error) {
    const what = `${paths.kubeletConfig}: ${clean((error as Error).message)}`;
    findings.push(findingOf(check, fail('E_KUBELET_CONFIG', { what })));
  }
  if ((await files.stat(paths.bootstrapKubeletConf)) !== undefined) {
    const what = `${paths.bootstrapKubeletConf} still holds a token, which nothing needs any more`;
    findings.push({ check, state: 'problem', what, next: `rm ${paths.bootstrapKubeletConf}` });
  }
  return findings.length > 0 ? findings : [{ check, state: 'ok', what: 'what a join writes is there' }];
}

export async function serviceFinding({ services, commands }: Ports, held: Held): Promise<Finding[]> {
  const check = 'kubelet';
  const { manager, exists, active, failed } = await services.status('kubelet');
  if (manager === 'none')
    return [{ check, state: 'unknown', what: 'neither systemd nor OpenRC is here to ask for the kubelet' }];
  if (!exists) return [findingOf(check, fail('E_SERVICE_MISSING', { service: 'kubelet', manager }))];
  if (active && !failed) return [{ check, state: 'ok', what: 'its service is running' }];
  if (held === undefined) return [{ check, state: 'note', what: 'its service is not running, as before a join' }];
  const what = active ? 'it ends, and is started again, over and over' : 'its service is not running';
  const next = active ? 'journalctl -u kubelet -n 50' : start(manager);
  return [{ check, state: 'problem', what: `${what}${await lastWords(commands)}`, next }];
}

const start = (manager: string): string =>
  manager === 'systemd' ? 'systemctl start kubelet' : 'rc-service kubelet start';

async function lastWords(commands: Ports['commands']): Promise<string> {
  if ((await commands.find('journalctl')) === undefined) return '';
  const { stdout } = await commands.query(['journalctl', '-u', 'kubelet', '-n', '1', '-o', 'cat', '--no-pager']);
  return stdout.trim() === '' ? '' : `; its last words: ${clean(stdout)}`;
}
