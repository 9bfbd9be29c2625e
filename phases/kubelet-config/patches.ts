/**
 * `--patches`: a directory of files that change the kubelet's configuration.
 * Source of their names and order: kubeadm, util/patches.
 */
import { applyJsonPatch, type Files, fail, type Log, parseYaml } from '../../engine/sdk/index.ts';
import { mergePatch, strategicPatch } from './merge-patch.ts';

const KINDS: Record<string, (target: unknown, patch: unknown) => unknown | Promise<unknown>> = {
  strategic: strategicPatch,
  merge: mergePatch,
  json: applyJsonPatch,
};
const TARGET = 'kubeletconfiguration';
/** Targets of control-plane nodes and of the cluster; a worker ignores their patches. */
const OTHER_TARGETS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd', 'corednsdeployment'];
/** `target[suffix][+type].extension` */
const NAME = /^([^.+\n]*)(?:\+([^.\n]*))?\.(json|yaml)$/;

/** Applies every patch of the directory in the order of their names. Throws E_PATCH for an invalid one. */
export async function applyPatches(
  configuration: Record<string, unknown>,
  directory: string,
  { files, log }: { files: Files; log: Log },
): Promise<Record<string, unknown>> {
  if ((await files.stat(directory))?.kind !== 'directory')
    throw fail('E_PATCH', { file: directory, what: 'it is not a directory' });
  let document = configuration;
  for (const name of (await files.list(directory)) ?? []) {
    const file = `${directory.replace(/\/+$/, '')}/${name}`;
    const [match, prefix = '', type = 'strategic'] = NAME.exec(name) ?? [];
    const apply = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
    if (OTHER_TARGETS.some((target) => prefix.startsWith(target))) log.info(`ignoring ${file}: it is not for a worker`);
    else if (match === undefined || !prefix.startsWith(TARGET))
      log.warn(`ignoring ${file}: a patch is named ${TARGET}[suffix][+strategic|+merge|+json].yaml or .json`);
    else if (apply === undefined)
      throw fail('E_PATCH', {
        file,
        what: `its name has the unknown type ${type}; it must be strategic, merge or json`,
      });
    else document = await applyFile(document, file, apply, { files, log });
  }
  return document;
}

async function applyFile(
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
    throw fail('E_PATCH', { file, what: 'the result is not a KubeletConfiguration' });
  if (parts.length > 0) log.info(`applied ${file} to the kubelet's configuration`);
  return result as Record<string, unknown>; // its kind was checked above
}
