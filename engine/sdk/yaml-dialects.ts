/** What plain scalars mean: in documents of Joinery, and in those of Kubernetes, which Go reads and writes. */
import { type Document, type ParsedNode, stringify, type Tags } from 'yaml';
import { YAML_FAULTS } from './yaml-faults.ts';

/**
 * `core`: YAML 1.2, for documents of Joinery. `go`: YAML 1.1 as kubeadm and the kubelet read it, for documents of
 * Kubernetes.
 */
export type Dialect = 'core' | 'go';

/** Types of YAML 1.1 that Go does not have either: it reads them as texts. */
const NOT_IN_GO = /:(timestamp|binary|omap|pairs|set)$/;
/** Sexagesimal numbers, such as 1:30. */
const TIME = 'TIME';

const withoutForeignTags = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag === 'string' || !(NOT_IN_GO.test(tag.tag) || tag.format === TIME));

const SHARED = { prettyErrors: false, stringKeys: true } as const;
export const YAML_OPTIONS = {
  core: SHARED,
  // One schema, whatever a %YAML directive says.
  go: {
    ...SHARED,
    schema: 'yaml-1.1',
    merge: true,
    resolveKnownTags: false,
    intAsBigInt: true,
    customTags: withoutForeignTags,
  },
} as const;

export const ALIASES_MAX = 100;
export const TOO_MANY_ALIASES = `more than ${ALIASES_MAX} aliases, or more with the aliases in them`;

/** The document as plain data, which survives JSON. Throws an Error of one line if its aliases cannot be followed. */
export function plainValue(document: Document.Parsed<ParsedNode>): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX, reviver: (_, value) => plainInteger(value) });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const { message } = error as Error; // the library has one class for both
    throw new Error(message.startsWith('Excessive') ? TOO_MANY_ALIASES : YAML_FAULTS.BAD_ALIAS, { cause: error });
  }
}

function plainInteger(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : { $integer: String(value) };
}

/**
 * YAML that YAML 1.1 and 1.2 read alike, sorted and unindented like that of Go's marshaller. A `$integer` of
 * `parseYaml` is an integer again.
 * @stable
 */
export const goYaml = (document: object): string =>
  stringify(document, (_, value) => writtenInteger(value), {
    compat: 'yaml-1.1',
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });

function writtenInteger(value: unknown): unknown {
  const { $integer, ...rest } = Object(value) as { $integer?: unknown };
  const isInteger = typeof $integer === 'string' && /^-?\d{16,40}$/.test($integer) && Object.keys(rest).length === 0;
  return isInteger ? BigInt($integer) : value;
}
