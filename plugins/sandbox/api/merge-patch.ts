/**
 * The patch types of kubelets and kubectl: JSON merge (RFC 7386), and strategic merge, which merges some lists by a
 * key.
 */
import { isRecord, type Json } from '../objects.ts';
import { readJson } from './body.ts';
import { unsupportedMediaType } from './status.ts';

const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

/** Lists that strategic patches merge, with the key of their items. */
const MERGE_KEYS: Record<string, string> = { conditions: 'type', addresses: 'type' };

export function applyPatch(contentType: string, target: Json, patch: Buffer): Json {
  const [type = ''] = contentType.split(';');
  if (type === MERGE) return merge(target, readJson(patch), {});
  if (type === STRATEGIC) return merge(target, readJson(patch), MERGE_KEYS);
  throw unsupportedMediaType([MERGE, STRATEGIC]);
}

function merge(target: Json, patch: Json, keys: Record<string, string>): Json {
  const merged: Json = { ...target };
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$')) continue; // directives such as $setElementOrder only affect the order
    const key = keys[field];
    if (value === null) delete merged[field];
    else if (isRecord(value)) merged[field] = merge(record(merged[field]), value, keys);
    else if (Array.isArray(value) && key !== undefined)
      merged[field] = mergeList(list(merged[field]), value, key, keys);
    else merged[field] = value;
  }
  return merged;
}

function mergeList(target: readonly Json[], patch: readonly Json[], key: string, keys: Record<string, string>): Json[] {
  const merged = new Map(target.map((element) => [element[key], element]));
  for (const element of patch)
    if (element.$patch === 'delete') merged.delete(element[key]);
    else merged.set(element[key], merge(merged.get(element[key]) ?? {}, element, keys));
  return [...merged.values()];
}

const record = (value: unknown): Json => (isRecord(value) ? value : {});
const list = (value: unknown): Json[] => (Array.isArray(value) ? value : []);
