/** `--patches`: changes of the kubelet's configuration, from files of a directory. Source of their names and order: kubeadm, util/patches. */
import { applyJsonPatch, type Files, fail, type Log, parseYaml } from '../../engine/sdk/index.ts';
import { mergePatch, strategicPatch } from './merge-patch.ts';

const KINDS: Record<string, (target: unknown, patch: unknown) => unknown | Promise<unknown>> = {
  strategic: strategicPatch,
  merge: mergePatch,
  json: applyJsonPatch,
};
const TARGET = 'kubeletconfiguration';
/** Of control-plane nodes, and of the cluster itself. */
const OTHER_TARGETS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd', 'corednsdeployment'];
/** `target[suffix][+type].extension` */
const NAME = /^([^.+\n]*)(?:\+([^.\n]*))?\.(json|yaml)$/;

/** The configuration with every patch of the directory, in the order of their names. E_PATCH for one that is not right. */
export async function patched(
  configuration: Record<string, unknown>,
  directory: string,
  { files, log }: { files: Files; log: Log },
): Promise<Record<string, unknown>> {
  if ((await files.stat(directory))?.kind !== 'directory')
    throw fail('E_PATCH', { file: directory, what: 'it is no directory' });
  let document = configuration;
  for (const name of (await files.list(directory)) ?? []) {
    const file = `${directory.replace(/\/+$/, '')}/${name}`;
    const [whole, begin = '', type = 'strategic'] = NAME.exec(name) ?? [];
    const apply = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
    if (OTHER_TARGETS.some((target) => begin.startsWith(target))) log.info(`${file} is not for a worker`);
    else if (whole === undefined || !begin.startsWith(TARGET))
      log.warn(
        `${file} is passed over: the name of a patch is ${TARGET}[suffix][+strategic|+merge|+json].yaml or .json`,
      );
    else if (apply === undefined)
      throw fail('E_PATCH', { file, what: `its name has the type ${type}: it must be strategic, merge or json` });
    else document = await applied(document, file, apply, { files, log });
  }
  return document;
}

async function applied(
  document: Record<string, unknown>,
  file: string,
  apply: (target: unknown, patch: unknown) => unknown | Promise<unknown>,
  { files, log }: { files: Files; log: Log },
): Promise<Record<string, unknown>> {
  const text = (await files.read(file))?.toString('utf8') ?? '';
  const parts = text.split(/^---.*$/m).filter((part) => part.trim() !== '');
  if (parts.length === 0) log.warn(`${file} is empty`);
  let result: unknown = document;
  try {
    for (const part of parts) {
      const patch = parseYaml(part);
      if (patch !== null) result = await apply(result, patch);
    }
  } catch (error) {
    throw fail('E_PATCH', { file, what: (error as Error).message }, error);
  }
  const { kind } = (result ?? {}) as { kind?: unknown };
  if (kind !== 'KubeletConfiguration')
    throw fail('E_PATCH', { file, what: 'what it leaves is no KubeletConfiguration' });
  if (parts.length > 0) log.info(`${file} has changed the kubelet's configuration`);
  return result as Record<string, unknown>; // its kind says so
}
