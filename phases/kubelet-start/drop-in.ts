/** Makes the kubelet's systemd unit pass the files of the join, without a change to anyone else's drop-in. */
import { argumentIn, paths, type UnitCommand, unitCommand } from '../../engine/node/index.ts';
import type { Files, Log, Services } from '../../engine/sdk/index.ts';

export const BOOTSTRAP_ARGUMENT = `--bootstrap-kubeconfig=${paths.bootstrapKubeletConf}`;
/** The variables of kubeadm's unit, in its order. */
const VARIABLES = [
  'KUBELET_KUBECONFIG_ARGS',
  'KUBELET_CONFIG_ARGS',
  'KUBELET_KUBEADM_ARGS',
  'KUBELET_EXTRA_ARGS',
] as const;

interface DropInPorts {
  files: Files;
  services: Services;
  log: Log;
}

export interface UnitToFix {
  /** As `systemctl cat` prints it. */
  unit: string;
  /** The kubelet requests its own certificate. */
  bootstraps: boolean;
}

/** Writes a drop-in if the command of the unit lacks a file. */
export async function passFiles(ports: DropInPorts, { unit, bootstraps }: UnitToFix): Promise<void> {
  const { files, services, log } = ports;
  const read = async (path: string) => (await files.read(path))?.toString('utf8');
  const command = await unitCommand(unit, read);
  const missing = missingFrom(command, bootstraps);
  if (missing.length === 0 && command.count <= 1) return;
  const isOfDropIn = command.file?.includes('.d/') === true;
  // A variable of the owner, such as KUBELET_EXTRA_ARGS, may still name another file: the last argument wins.
  const stillMissing = missingFrom(await unitCommand(`${unit}\n${dropIn(command)}`, read), bootstraps);
  const content = dropIn(command, stillMissing);
  const found = await read(paths.kubeletDropIn);
  // An interrupted run may have written it without the reload: then systemd does not show it yet.
  const isTaken = found !== undefined && found !== content;
  const path = isOfDropIn || isTaken ? paths.kubeletLastDropIn : paths.kubeletDropIn;
  await files.write(path, content, 0o644);
  await services.reload('kubelet');
  const culprit = command.file ?? "the kubelet's unit";
  log.info(`wrote ${path}, because ${culprit} sets ${wrongWith(command, missing)}`);
}

function missingFrom({ line = '', words, environmentFiles }: UnitCommand, bootstraps: boolean): string[] {
  const needed = {
    ...(bootstraps ? { 'bootstrap-kubeconfig': paths.bootstrapKubeletConf } : {}),
    kubeconfig: paths.kubeletConf,
    config: paths.kubeletConfig,
  };
  const missing = Object.entries(needed)
    .filter(([name, path]) => argumentIn(words, name) !== path)
    .map(([name, path]) => `--${name}=${path}`);
  const passesFlags = environmentFiles.includes(paths.kubeadmFlags) && line.includes('KUBELET_KUBEADM_ARGS');
  return passesFlags ? missing : [...missing, paths.kubeadmFlags];
}

function wrongWith({ words, count }: UnitCommand, missing: readonly string[]): string {
  if (missing.length === 0) return `${count} commands, and systemd accepts one: ExecStart= resets them`;
  const texts = missing.map((each) => {
    const value = argumentIn(words, each.replace(/^--|=.*/g, ''));
    return value === undefined ? each : `${each} (it has ${value})`;
  });
  return `a command without ${texts.join(', ')}`;
}

/** As the drop-in of kubeadm's package; it keeps the owner's command, and adds what that lacks. */
function dropIn({ line = '/usr/bin/kubelet' }: UnitCommand, missing: readonly string[] = []): string {
  const variables = VARIABLES.filter((name) => !line.includes(name)).map((name) => `$${name}`);
  const added = [...variables, ...missing.filter((each) => each.startsWith('--'))];
  return `# Written by Joinery, because the kubelet's unit did not pass the files of the join.
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=${BOOTSTRAP_ARGUMENT} --kubeconfig=${paths.kubeletConf}"
Environment="KUBELET_CONFIG_ARGS=--config=${paths.kubeletConfig}"
EnvironmentFile=-${paths.kubeadmFlags}
EnvironmentFile=-/etc/default/kubelet
EnvironmentFile=-/etc/sysconfig/kubelet
ExecStart=
ExecStart=${[line, ...added].join(' ')}
`;
}
