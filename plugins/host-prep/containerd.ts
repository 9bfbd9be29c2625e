/** containerd's configuration. Source of its tables: containerd's docs/cri/config.md, of versions 2 (containerd 1.x) and 3 (2.x). */
import type { Sdk } from '../../engine/node/sdk.ts';
import type { Ports } from '../../engine/sdk/index.ts';
import { rawValue, withValue } from './toml.ts';

const CONFIG = '/etc/containerd/config.toml';

/** Where versions of the configuration have what is set here. */
const PLACES = {
  2: {
    runc: ['plugins', 'io.containerd.grpc.v1.cri', 'containerd', 'runtimes', 'runc'],
    pause: ['plugins', 'io.containerd.grpc.v1.cri', 'sandbox_image'],
  },
  3: {
    runc: ['plugins', 'io.containerd.cri.v1.runtime', 'containerd', 'runtimes', 'runc'],
    pause: ['plugins', 'io.containerd.cri.v1.images', 'pinned_images', 'sandbox'],
  },
} as const;

interface Wanted {
  systemdCgroup: boolean;
  pauseImage?: string;
}

export async function prepareContainerd(sdk: Sdk, ports: Ports, wanted: Wanted): Promise<void> {
  const { files, commands, services, log } = ports;
  if ((await commands.find('containerd')) === undefined) {
    log.info('containerd is not installed, so it is not configured');
    return;
  }
  const [bytes, there] = await Promise.all([files.read(CONFIG), files.stat(CONFIG)]);
  const before = bytes?.toString('utf8') ?? (await defaultConfiguration(sdk, ports));
  const after = configured(sdk, before, wanted);
  if (bytes !== undefined && before === after) return;
  const owner = there?.uid === undefined || there.gid === undefined ? undefined : { uid: there.uid, gid: there.gid };
  await files.write(CONFIG, after, there?.mode ?? 0o644, owner);
  if ((await services.status('containerd')).active) await services.restart('containerd');
}

/** As every guide has it: without a file, containerd has values that no file can refer to. */
async function defaultConfiguration(sdk: Sdk, { commands }: Ports): Promise<string> {
  const argv = ['containerd', 'config', 'default'];
  const { exitCode, stdout, stderr } = await commands.query(argv);
  if (exitCode === 0) return stdout;
  throw sdk.fail('E_COMMAND_FAILED', { command: argv.join(' '), exitCode, output: sdk.clean(stderr) });
}

function configured(sdk: Sdk, text: string, { systemdCgroup, pauseImage }: Wanted): string {
  const refuse = (what: string) =>
    sdk.JoinError.own({
      code: 'E_CONTAINERD_CONFIG',
      message: `${CONFIG} cannot be changed: ${what}`,
      hint: 'Make SystemdCgroup and the pause image right by hand, and leave containerd: false in the step.',
    });
  try {
    const version = Number(rawValue(text, ['version']) ?? 1);
    const places = version === 2 || version === 3 ? PLACES[version] : undefined;
    if (places === undefined) throw refuse(`it is of version ${version}, and only 2 and 3 are known`);
    let changed = withoutDisabledCri(text);
    const set = (path: readonly string[], value: string): void => {
      if (rawValue(changed, path) !== value) changed = withValue(changed, path, value);
    };
    // containerd takes a runtime as a whole from the file: one without a type cannot start anything.
    const type = [...places.runc, 'runtime_type'];
    if (rawValue(changed, type) === undefined) set(type, '"io.containerd.runc.v2"');
    set([...places.runc, 'options', 'SystemdCgroup'], String(systemdCgroup));
    if (pauseImage !== undefined && unquoted(rawValue(changed, places.pause)) !== pauseImage)
      set(places.pause, JSON.stringify(pauseImage));
    return changed;
  } catch (error) {
    throw sdk.isJoinError(error) ? error : refuse(sdk.clean((error as Error).message));
  }
}

const unquoted = (raw: string | undefined): string | undefined => raw?.replace(/^(["'])(.*)\1$/, '$2');

/** Docker's packages of containerd come with the plugin that the kubelet speaks to turned off. */
function withoutDisabledCri(text: string): string {
  const disabled = rawValue(text, ['disabled_plugins']) ?? '[]';
  const isOff = /(["'])(io\.containerd\.grpc\.v1\.)?cri\1/.test(disabled);
  if (!isOff) return text;
  const kept = [...disabled.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, a, b]) => a ?? b ?? '');
  const names = kept.filter((name) => name !== 'cri' && name !== 'io.containerd.grpc.v1.cri');
  return withValue(text, ['disabled_plugins'], `[${names.map((name) => JSON.stringify(name)).join(', ')}]`);
}
