/** Starts the kubelet by the machine's service manager, and sees it become healthy. */
import { healthUrl, kubeletData, paths, shutDownKubelet } from '../../engine/node/index.ts';
import {
  apiCalls,
  type Commands,
  controls,
  definePhase,
  type Files,
  fail,
  parseYaml,
  removesPodSandboxes,
  unmounts,
  writes,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

/** What the unit must pass, or the kubelet knows nothing of the files written for it. */
const NEEDED = [`--kubeconfig=${paths.kubeletConf}`, `--config=${paths.kubeletConfig}`, paths.kubeadmFlags];
const NEEDED_TO_BOOTSTRAP = `--bootstrap-kubeconfig=${paths.bootstrapKubeletConf}`;

export default definePhase({
  name: 'kubelet-start',
  summary: 'Start the kubelet and wait until it is healthy',
  input,
  output,
  effects: [
    writes(paths.kubeletDropIn, 0o644, 'only where the unit does not pass our files to the kubelet'),
    controls('kubelet', ['reload', 'start', 'stop'], 'it joins the machine'),
    ...kubeletData,
    apiCalls(['patch'], 'nodes/status', 'when it is undone: the Node is not Ready any more'),
    removesPodSandboxes('when it is undone: what the kubelet had started'),
    unmounts(paths.kubelet, 'when it is undone: volumes of Pods'),
  ],

  async run({ files, services, commands, clock, log }) {
    const [status, unit] = await Promise.all([services.status('kubelet'), services.unit('kubelet')]);
    const bootstraps = (await files.stat(paths.bootstrapKubeletConf)) !== undefined;
    const needed = bootstraps ? [NEEDED_TO_BOOTSTRAP, ...NEEDED] : NEEDED;
    if (status.manager === 'none') {
      log.warn(`no systemd and no OpenRC here. Start the kubelet yourself: ${commandLine(bootstraps)}`);
      return { startedAt: clock.now().toISOString() };
    }
    if (!status.exists) throw fail('E_SERVICE_MISSING', { service: 'kubelet', manager: status.manager });
    if (status.active) {
      await services.waitHealthy('kubelet', await healthUrlOf(files));
      log.info('the kubelet is running already, and healthy');
      return {};
    }
    if (unit !== undefined && needed.some((argument) => !unit.includes(argument))) {
      await files.write(paths.kubeletDropIn, await dropIn(commands), 0o644);
      await services.reload('kubelet');
      log.info(`the kubelet's unit did not pass ${needed.join(', ')}; ${paths.kubeletDropIn} does`);
    }
    const startedAt = clock.now().toISOString();
    await services.start('kubelet');
    await services.waitHealthy('kubelet', await healthUrlOf(files));
    log.info('the kubelet is healthy');
    return { startedAt };
  },

  async undo(ports, { criSocket }) {
    await shutDownKubelet(ports, criSocket, { reason: 'JoinUndone', message: 'the join of this machine was undone' });
  },
});

const commandLine = (bootstraps: boolean): string =>
  `kubelet${bootstraps ? ` ${NEEDED_TO_BOOTSTRAP}` : ''} --kubeconfig=${paths.kubeletConf} --config=${paths.kubeletConfig} with the flags in ${paths.kubeadmFlags}`;

/** Where this kubelet will answer: its configuration may have moved it. */
async function healthUrlOf(files: Files): Promise<string> {
  const invalid = (what: string) => fail('E_KUBELET_CONFIG', { what: `${paths.kubeletConfig}: ${what}` });
  const text = (await files.read(paths.kubeletConfig))?.toString('utf8') ?? '';
  let config: unknown;
  try {
    config = parseYaml(text) ?? {};
  } catch (error) {
    throw invalid((error as Error).message);
  }
  const url = healthUrl(config as Record<string, unknown>);
  if (url === undefined) throw invalid('it names no address where the kubelet says that it is healthy');
  return url;
}

/** What kubeadm's package brings: section 6.5 of its behaviour, for units that lack it. */
async function dropIn(commands: Commands): Promise<string> {
  const kubelet = (await commands.find('kubelet')) ?? '/usr/bin/kubelet';
  return `# Written by Joinery: the kubelet's unit did not pass the files of a kubeadm-style join.
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=${NEEDED_TO_BOOTSTRAP} --kubeconfig=${paths.kubeletConf}"
Environment="KUBELET_CONFIG_ARGS=--config=${paths.kubeletConfig}"
EnvironmentFile=-${paths.kubeadmFlags}
EnvironmentFile=-/etc/default/kubelet
EnvironmentFile=-/etc/sysconfig/kubelet
ExecStart=
ExecStart=${kubelet} $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;
}
