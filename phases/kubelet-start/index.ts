/** Starts the kubelet through the service manager and waits until it is healthy. */
import {
  healthUrl,
  isHealthCheckOff,
  isUrlTaken,
  kubeletData,
  paths,
  shutDownKubelet,
} from '../../engine/node/index.ts';
import {
  apiCalls,
  controls,
  definePhase,
  type Files,
  fail,
  type Ports,
  parseYaml,
  removesPodSandboxes,
  type ServiceStatus,
  unmounts,
  writes,
} from '../../engine/sdk/index.ts';
import { BOOTSTRAP_ARGUMENT, passFiles } from './drop-in.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubelet-start',
  summary: 'Start the kubelet and wait until it is healthy',
  input,
  output,
  effects: [
    writes(paths.kubeletDropIn, 0o644, 'if the unit does not pass the files of the join to the kubelet'),
    writes(paths.kubeletLastDropIn, 0o644, 'the same, if that file exists or another drop-in sets the command'),
    controls('kubelet', ['reload', 'start', 'stop'], 'it joins the cluster'),
    ...kubeletData,
    apiCalls(['patch'], 'nodes/status', 'on undo: sets the Node to not Ready'),
    removesPodSandboxes('on undo: Pods that the kubelet started'),
    unmounts(paths.kubelet, 'on undo: volumes of Pods'),
  ],

  async run(ports) {
    const { files, services, clock, log } = ports;
    const [status, unit] = await Promise.all([services.status('kubelet'), services.unit('kubelet')]);
    const bootstraps = (await files.stat(paths.bootstrapKubeletConf)) !== undefined;
    if (status.manager === 'none') {
      log.warn(`there is no systemd and no OpenRC; start the kubelet yourself: ${commandLine(bootstraps)}`);
      return { startedAt: clock.now().toISOString() };
    }
    assertUsable(status);
    const url = await healthUrlOf(files);
    if (status.active) {
      await waitHealthy(ports, url);
      log.info('the kubelet is already running');
      return {};
    }
    // Its answers would pass for those of the kubelet that starts now.
    if (url !== undefined && (await isUrlTaken(files, url))) throw fail('E_HEALTH_TAKEN', { service: 'kubelet', url });
    if (unit !== undefined) await passFiles({ files, services, log }, { unit, bootstraps });
    const startedAt = clock.now().toISOString();
    await services.start('kubelet');
    await waitHealthy(ports, url);
    return { startedAt };
  },

  async undo(ports, { criSocket }) {
    await shutDownKubelet(ports, criSocket, {
      reason: 'JoinUndone',
      message: 'the join of this machine was rolled back',
    });
  },
});

function assertUsable({ manager, exists, masked = false, unusable }: ServiceStatus): void {
  const service = 'kubelet';
  if (masked) throw fail('E_SERVICE_UNUSABLE', { service, what: 'it is masked', fix: `systemctl unmask ${service}` });
  if (!exists) throw fail('E_SERVICE_MISSING', { service, manager });
  if (unusable !== undefined)
    throw fail('E_SERVICE_UNUSABLE', { service, what: unusable, fix: `systemctl status ${service}` });
}

const commandLine = (bootstraps: boolean): string =>
  `kubelet${bootstraps ? ` ${BOOTSTRAP_ARGUMENT}` : ''} --kubeconfig=${paths.kubeletConf} ` +
  `--config=${paths.kubeletConfig} with the flags in ${paths.kubeadmFlags}`;

async function waitHealthy({ services, log }: Pick<Ports, 'services' | 'log'>, url: string | undefined): Promise<void> {
  if (url === undefined)
    return log.warn('the kubelet has no health check (healthzPort: 0): only its Node will show whether it works');
  await services.waitHealthy('kubelet', url);
  log.info('the kubelet is healthy');
}

/** The kubelet's configuration may change the address and port of its health check. Undefined if it has none. */
async function healthUrlOf(files: Files): Promise<string | undefined> {
  const invalid = (what: string) => fail('E_KUBELET_CONFIG', { what: `${paths.kubeletConfig}: ${what}` });
  const text = (await files.read(paths.kubeletConfig))?.toString('utf8') ?? '';
  let config: unknown;
  try {
    config = parseYaml(text) ?? {};
  } catch (error) {
    throw invalid((error as Error).message);
  }
  if (isHealthCheckOff(config as Record<string, unknown>)) return undefined;
  const url = healthUrl(config as Record<string, unknown>);
  if (url === undefined) throw invalid("it has no valid address for the kubelet's health check");
  return url;
}
