/** The `dryRun` option of writes: everything is checked, nothing is stored. */
import type { KubeObject } from '../objects.ts';
import type { Change, Store } from '../store.ts';
import { invalid, notSupported } from './status.ts';

const OPTIONS: Record<string, string> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
};

/** Throws Invalid for any value but `All`. */
export function isDryRun(verb: string, values: readonly string[]): boolean {
  const wrong = values.find((value) => value !== 'All');
  if (wrong !== undefined)
    throw invalid(OPTIONS[verb] ?? '', 'meta.k8s.io', '', [notSupported('dryRun', wrong, ['All'])]);
  return values.length > 0;
}

/** Stores the change unless this is a dry run; returns the object as the answer shows it. */
export function settle(store: Store, change: Change, dryRun: boolean): object {
  return dryRun ? unstored(change.object) : store.commit(change);
}

/** What was never stored has no version. */
function unstored(object: KubeObject): object {
  const { resourceVersion, ...metadata } = object.metadata;
  return { ...object, metadata: resourceVersion === '' ? metadata : object.metadata };
}
