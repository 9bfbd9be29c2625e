/** The `dryRun` option of writes: the server checks everything and stores nothing. */
import type { KubeObject } from '../objects.ts';
import type { Change, Store } from '../store.ts';
import { invalid, notSupported } from './status.ts';

const OPTIONS: Record<string, string> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
};

export type WriteMode = 'dry-run' | 'store';

/** Throws Invalid for any value other than `All`. */
export function readWriteMode(verb: string, values: readonly string[]): WriteMode {
  const wrong = values.find((value) => value !== 'All');
  if (wrong !== undefined)
    throw invalid(OPTIONS[verb] ?? '', 'meta.k8s.io', '', [notSupported('dryRun', wrong, ['All'])]);
  return values.length > 0 ? 'dry-run' : 'store';
}

/** Stores the change unless this is a dry run. Returns the object as the answer shows it. */
export function applyChange(store: Store, change: Change, mode: WriteMode): object {
  return mode === 'dry-run' ? unstored(change.object) : store.commit(change);
}

/** An object that was never stored has no resourceVersion. */
function unstored(object: KubeObject): object {
  const { resourceVersion, ...metadata } = object.metadata;
  return { ...object, metadata: resourceVersion === '' ? metadata : object.metadata };
}
