/**
 * `--patches`: a directory of files that change the kubelet's configuration, or the static Pod of a component.
 * Source of their names and order: kubeadm, util/patches.
 */
import { fail } from '../sdk/errors.ts';
import { applyJsonPatch } from '../sdk/json-patch.ts';
import type { Files, Log } from '../sdk/ports.ts';
import { decodeText } from '../sdk/text.ts';
import { parseYaml } from '../sdk/yaml.ts';
import { type ListKeys, mergePatch, strategicPatch } from './merge-patch.ts';

type Patch = (target: unknown, patch: unknown, listKeys?: ListKeys) => unknown | Promise<unknown>;

const KINDS: Record<string, Patch> = {
  strategic: strategicPatch,
  merge: mergePatch,
  json: (target, patch) => applyJsonPatch(target, patch),
};

/** What the files of a directory change. */
export interface PatchTarget {
  /** How the names of the files begin. */
  name: string;
  /** The kind of the document. */
  kind: string;
  /** In messages. */
  text: string;
  /** Lists whose items a strategic patch merges. */
  listKeys?: ListKeys;
}

export const KUBELET_TARGET: PatchTarget = {
  name: 'kubeletconfiguration',
  kind: 'KubeletConfiguration',
  text: "the kubelet's configuration",
};
const TARGETS = [
  KUBELET_TARGET.name,
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'etcd',
  'corednsdeployment',
];
const EXTENSION = /\.(?:json|yaml)$/;

/**
 * Applies every patch of the directory for that target, in the order of their names. Throws E_PATCH for an invalid one.
 */
export async function applyPatches(
  original: Record<string, unknown>,
  directory: string,
  { files, log }: { files: Files; log: Log },
  target = KUBELET_TARGET,
): Promise<Record<string, unknown>> {
  const found = await files.stat(directory);
  if (found?.kind !== 'directory')
    throw fail('E_PATCH', { file: directory, what: found ? 'it is not a directory' : 'it does not exist' });
  // Every step of a run reads the directory, and one of them reports the files that are not for it.
  const report = target === KUBELET_TARGET;
  let document = original;
  for (const name of (await files.list(directory)) ?? []) {
    const file = `${directory.replace(/\/+$/, '')}/${name}`;
    const known = TARGETS.find((each) => name.startsWith(each));
    if (known === undefined || !EXTENSION.test(name) || (await files.stat(file))?.kind === 'directory') {
      if (report)
        log.warn(`ignoring ${file}: a patch is a file ${target.name}[suffix][+strategic|+merge|+json].yaml or .json`);
      continue;
    }
    const apply = kindOf(name, file);
    if (known === target.name) document = await applyFile(document, { file, apply, target }, { files, log });
    else if (report) log.info(`ignoring ${file}: it is not for the kubelet`);
  }
  return document;
}

/** `target[suffix][+type].extension`: the type is between the last plus sign and the extension. */
function kindOf(name: string, file: string): Patch {
  const stem = name.replace(EXTENSION, '');
  const type = stem.includes('+') ? stem.slice(stem.lastIndexOf('+') + 1) : 'strategic';
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  if (kind === undefined)
    throw fail('E_PATCH', { file, what: `its name has the unknown type ${type}; it must be strategic, merge or json` });
  return kind;
}

async function applyFile(
  document: Record<string, unknown>,
  { file, apply, target }: { file: string; apply: Patch; target: PatchTarget },
  { files, log }: { files: Files; log: Log },
): Promise<Record<string, unknown>> {
  const text = decodeText((await files.read(file)) ?? Buffer.alloc(0));
  const parts = documentsOf(text);
  if (parts.length === 0) log.warn(`${file} is empty`);
  let result: unknown = document;
  try {
    for (const part of parts) {
      const patch = parseYaml(part);
      if (patch !== null) result = await apply(result, patch, target.listKeys);
    }
  } catch (error) {
    throw fail('E_PATCH', { file, what: (error as Error).message }, error);
  }
  const { kind } = (result ?? {}) as { kind?: unknown };
  if (kind !== target.kind) throw fail('E_PATCH', { file, what: `the result is not a ${target.kind}` });
  if (parts.length > 0) log.info(`applied ${file} to ${target.text}`);
  return result as Record<string, unknown>; // its kind was checked above
}

/** The documents that are not empty, each below as many empty lines as it has lines above it in the file. */
function documentsOf(text: string): string[] {
  let above = '';
  return text
    .split(/^---.*$/m)
    .map((part) => {
      const document = above + part.replace(/^(\s*---\s*\n)+/, onlyLines); // kubeadm takes an indented separator too
      above += onlyLines(part);
      return document;
    })
    .filter((part) => part.trim() !== '');
}

const onlyLines = (text: string): string => text.replace(/[^\n]/g, '');
