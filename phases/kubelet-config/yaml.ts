import { stringify } from 'yaml';

/** Sorted and unindented like Go's marshaller, so a machine that kubeadm joined sees no change. */
export const yamlOf = (document: object): string =>
  stringify(document, { sortMapEntries: true, indentSeq: false, lineWidth: 0 });
