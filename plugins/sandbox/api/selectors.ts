/** Field and label selectors of lists and watches. */
import { isRecord, type KubeObject } from '../objects.ts';
import { badRequest } from './status.ts';

export type Selector = (object: KubeObject) => boolean;

interface Term {
  key: string;
  operator: '=' | '!=' | 'exists' | 'absent';
  value: string;
}

export function readSelector(query: URLSearchParams): Selector {
  const fields = readTerms(query.get('fieldSelector') ?? '');
  const labels = readTerms(query.get('labelSelector') ?? '');
  return (object) =>
    fields.every((term) => holds(term, fieldOf(object, term.key) ?? '')) &&
    labels.every((term) => holds(term, object.metadata.labels?.[term.key]));
}

function holds({ operator, value }: Term, actual: string | undefined): boolean {
  if (operator === 'exists') return actual !== undefined;
  if (operator === 'absent') return actual === undefined;
  return (actual === value) === (operator === '=');
}

const readTerms = (text: string): Term[] => text.split(',').filter(Boolean).map(readTerm);

function readTerm(text: string): Term {
  const [, key = '', sign, value = ''] = /^([\w./-]+)(==?|!=)([\w./:-]*)$/.exec(text) ?? [];
  if (sign !== undefined) return { key, operator: sign === '!=' ? '!=' : '=', value };
  const [, not, label = ''] = /^(!?)([\w./-]+)$/.exec(text) ?? [];
  if (not === undefined) throw badRequest(`unable to parse requirement: ${text}`);
  return { key: label, operator: not === '' ? 'exists' : 'absent', value: '' };
}

function fieldOf(object: KubeObject, path: string): string | undefined {
  let value: unknown = object;
  for (const key of path.split('.')) value = isRecord(value) ? value[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
