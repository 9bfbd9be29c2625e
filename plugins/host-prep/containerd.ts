/**
 * Edits containerd's configuration. Source: containerd's docs/cri/config.md, versions 2 (containerd 1.x) and 3 (2.x).
 */
import type { Sdk } from '../../engine/node/sdk.ts';
import type { Ports } from '../../engine/sdk/index.ts';
import { rawValue, withValue } from './toml.ts';

const CONFIG = '/etc/containerd/config.toml';

/** Paths of the settings in each version of the configuration. */
const SETTING_PATHS = {
  2: {
    runc: ['plugins', 'io.containerd.grpc.v1.cri', 'containerd', 'runtimes', 'runc'],
    pause: ['plugins', 'io.containerd.grpc.v1.cri', 'sandbox_image'],
  },
  3: {
    runc: ['plugins', 'io.containerd.cri.v1.runtime', 'containerd', 'runtimes', 'runc'],
    pause: ['plugins', 'io.containerd.cri.v1.images', 'pinned_images', 'sandbox'],
  },
} as const;

interface ContainerdSettings {
  systemdCgroup: boolean;
  pauseImage?: string;
}

export async function prepareContainerd(sdk: Sdk, ports: Ports, settings: ContainerdSettings): Promise<void> {
  const { files, commands, services, log } = ports;
  if ((await commands.find('containerd')) === undefined) {
    log.info('containerd is not installed; skipping its configuration');
    return;
  }
  const [bytes, stat] = await Promise.all([files.read(CONFIG), files.stat(CONFIG)]);
  const before = bytes?.toString('utf8') ?? (await defaultConfiguration(sdk, ports));
  const after = editConfiguration(sdk, before, settings);
  if (bytes !== undefined && before === after) return;
  const owner = stat?.uid === undefined || stat.gid === undefined ? undefined : { uid: stat.uid, gid: stat.gid };
  await files.write(CONFIG, after, stat?.mode ?? 0o644, owner);
  if ((await services.status('containerd')).active) await services.restart('containerd');
}

/**
 * Without a file, containerd uses built-in defaults that a partial file would replace, so the edit starts with its
 * defaults.
 */
async function defaultConfiguration(sdk: Sdk, { commands }: Ports): Promise<string> {
  const argv = ['containerd', 'config', 'default'];
  const { exitCode, stdout, stderr } = await commands.query(argv);
  if (exitCode === 0) return stdout;
  throw sdk.fail('E_COMMAND_FAILED', { command: argv.join(' '), exitCode, output: sdk.clean(stderr) });
}

function editConfiguration(sdk: Sdk, text: string, { systemdCgroup, pauseImage }: ContainerdSettings): string {
  const refuse = (what: string) =>
    sdk.JoinError.own({
      code: 'E_CONTAINERD_CONFIG',
      message: `${CONFIG} cannot be changed: ${what}`,
      hint: 'Set SystemdCgroup and the pause image by hand, and set containerd: false in the step.',
    });
  try {
    const version = Number(rawValue(text, ['version']) ?? 1);
    const paths = version === 2 || version === 3 ? SETTING_PATHS[version] : undefined;
    if (paths === undefined) throw refuse(`it has the unsupported version ${version} (supported: 2 and 3)`);
    let changed = withoutDisabledCri(text);
    const set = (path: readonly string[], value: string): void => {
      if (rawValue(changed, path) !== value) changed = withValue(changed, path, value);
    };
    // containerd reads a runtime as a whole from the file; without a type it cannot start containers.
    const type = [...paths.runc, 'runtime_type'];
    if (rawValue(changed, type) === undefined) set(type, '"io.containerd.runc.v2"');
    set([...paths.runc, 'options', 'SystemdCgroup'], String(systemdCgroup));
    if (pauseImage !== undefined && unquoted(rawValue(changed, paths.pause)) !== pauseImage)
      set(paths.pause, JSON.stringify(pauseImage));
    return changed;
  } catch (error) {
    throw sdk.isJoinError(error) ? error : refuse(sdk.clean((error as Error).message));
  }
}

const unquoted = (raw: string | undefined): string | undefined => raw?.replace(/^(["'])(.*)\1$/, '$2');

/** Docker's packages of containerd disable the CRI plugin, which the kubelet needs. */
function withoutDisabledCri(text: string): string {
  const disabled = rawValue(text, ['disabled_plugins']) ?? '[]';
  const isOff = /(["'])(io\.containerd\.grpc\.v1\.)?cri\1/.test(disabled);
  if (!isOff) return text;
  const kept = [...disabled.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, a, b]) => a ?? b ?? '');
  const names = kept.filter((name) => name !== 'cri' && name !== 'io.containerd.grpc.v1.cri');
  return withValue(text, ['disabled_plugins'], `[${names.map((name) => JSON.stringify(name)).join(', ')}]`);
}
