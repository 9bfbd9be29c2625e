/** The manifest of a static Pod on this machine, whichever tool wrote it. */
import type { Files } from '../../sdk/ports.ts';
import { parseYaml } from '../../sdk/yaml.ts';
import { paths } from '../paths.ts';

interface Pod {
  spec?: {
    containers?: { name?: unknown; command?: unknown; args?: unknown }[];
    volumes?: { name?: unknown; hostPath?: { path?: unknown } }[];
  };
}

export interface Manifest {
  path: string;
  pod: Pod;
  /** The last value of each argument. */
  values: ReadonlyMap<string, string>;
}

/** Undefined if it does not exist. Throws an Error of one line that names the manifest. */
export async function readManifest(files: Files, component: string): Promise<Manifest | undefined> {
  const path = `${paths.manifests}/${component}.yaml`;
  const text = (await files.read(path))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const pod = parseYaml(text) as Pod | undefined;
    const container = pod?.spec?.containers?.find(({ name }) => name === component);
    if (pod === undefined || container === undefined) throw new Error(`it has no container ${component}`);
    const words = [container.command, container.args].flat().map(String);
    const pairs = words.flatMap((word) => /^--([^=]+)=(.*)$/s.exec(word)?.slice(1, 3) ?? []);
    const values = new Map<string, string>();
    for (let index = 0; index < pairs.length; index += 2) values.set(pairs[index] ?? '', pairs[index + 1] ?? '');
    return { path, pod, values };
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
