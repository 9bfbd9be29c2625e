/**
 * Splits YAML (or JSON) text into documents, and finds the one that configures joining. Source: kubeadm's handling of
 * `--config` files.
 */
import {
  type Document,
  isMap,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { DocumentLocator, type Place, SourceText } from '../documents/place.ts';
import { Problems } from '../documents/problems.ts';
import { didYouMean } from '../sdk/text.ts';
import { isNothing, requireExpandable } from '../sdk/yaml.ts';
import { plainValue, YAML_OPTIONS } from '../sdk/yaml-dialects.ts';
import { duplicateKey, yamlFault } from '../sdk/yaml-faults.ts';
import { apiVersionOf, GROUP, type Kind, kindOf, VERSIONS, type Version } from './versions.ts';

export interface ParsedDocument {
  document: Document.Parsed<ParsedNode>;
  text: SourceText;
  errors: Problems;
  warnings: Problems;
  /** Duplicate fields. The last value of each counts. */
  duplicates: { place: Place; what: string }[];
  /** Undefined if it is not known. */
  value: unknown;
}

/** The check for duplicate keys takes quadratic time. */
const FILE_BYTES_MAX = 128 << 10;

/** Every document that is not empty, with its YAML errors. An empty text gives one empty document. */
export function parseDocuments(file: string, text: string): ParsedDocument[] {
  const lineCounter = new LineCounter();
  const options = { ...YAML_OPTIONS.go, uniqueKeys: true, lineCounter };
  const tooLarge = Buffer.byteLength(text) > FILE_BYTES_MAX; // so it is not parsed
  const all = tooLarge ? [] : parseAllDocuments<ParsedNode>(text, options);
  const parsed = all
    .filter((document) => !isNothing(document.contents) || document.errors.length > 0)
    .map((document) => withProblems({ file, document, lines: lineCounter, content: text }));
  if (parsed.length > 0) return parsed;
  const empty = withProblems({ file, document: parseDocument('', options), lines: lineCounter, content: '' });
  if (tooLarge) empty.errors.atPlace(empty.text.place(0), `larger than ${FILE_BYTES_MAX} bytes`);
  return [empty];
}

interface Source {
  file: string;
  document: Document.Parsed<ParsedNode>;
  lines: LineCounter;
  content: string;
}

function withProblems({ file, document, lines, content }: Source): ParsedDocument {
  const text = new SourceText(file, lines);
  const locator = new DocumentLocator(text, document);
  const errors = new Problems(locator, Infinity);
  const warnings = new Problems(locator, Infinity);
  const isDuplicate = ({ code }: YAMLError) => code === 'DUPLICATE_KEY';
  const found = [...document.errors, ...document.warnings];
  const others = found.filter((error) => !isDuplicate(error));
  for (const error of others) errors.atPlace(text.place(error.pos[0]), yamlFault(error));
  let value: unknown;
  try {
    if (others.length === 0) {
      requireExpandable(document);
      value = plainValue(document);
    }
  } catch (error) {
    errors.at([], (error as Error).message); // too many aliases, or an unresolved one
  }
  const duplicates = found.filter(isDuplicate).map(({ pos: [start] }) => {
    const [key = ''] = /^[A-Za-z]+(?=:)/.exec(content.slice(start, start + 64)) ?? [];
    return { place: text.place(start), what: duplicateKey(key) };
  });
  return { document, text, errors, warnings, duplicates, value };
}

const JOINING: readonly Kind[] = ['JoinConfiguration', 'NodeConfiguration'];
/** Kinds of the group that may be in the same file for other commands. */
const OTHERS = [
  'InitConfiguration',
  'ClusterConfiguration',
  'ClusterStatus',
  'MasterConfiguration',
  'ResetConfiguration',
  'UpgradeConfiguration',
];
const SUPPORTED = VERSIONS.map(apiVersionOf);

export interface Joining {
  parsed: ParsedDocument;
  version: Version;
  /** Kinds of the other documents. */
  otherKinds: string[];
}

/** The document that configures joining. If it is missing, the result is undefined and the documents have errors. */
export function joiningDocument(documents: readonly ParsedDocument[]): Joining | undefined {
  const found: { parsed: ParsedDocument; version: Version }[] = [];
  const kinds = new Set<string>();
  for (const parsed of documents) {
    const { value, errors } = parsed;
    const kind = textAt(value, 'kind');
    if (kind === undefined) {
      if (isMap(parsed.document.contents) && value !== undefined)
        errors.at([], 'kind is missing: it must be JoinConfiguration');
      else if (value !== undefined && value !== null)
        errors.at([], 'this is not a configuration: it must be a mapping with apiVersion and kind');
    } else if (kinds.has(kind)) errors.at(['kind'], `a second ${kindText(kind)} in one file`);
    else {
      kinds.add(kind);
      const version = versionOf(parsed, kind);
      if (version !== undefined) found.push({ parsed, version });
    }
  }
  const isClear = documents.every(({ errors }) => errors.sorted().length === 0);
  const [first, second] = found;
  const last = documents.at(-1);
  if (second !== undefined) second.parsed.errors.at(['kind'], 'a second configuration for joining in one file');
  else if (first === undefined && isClear)
    last?.errors.atPlace(last.text.place(0), 'there is no JoinConfiguration in this file');
  return first && { ...first, otherKinds: [...kinds].filter((kind) => !isJoining(kind)).map(kindText) };
}

/** The version of a document for joining. A document of another kind gets a warning: kubeadm ignores it, too. */
function versionOf({ value, errors, warnings }: ParsedDocument, kind: string): Version | undefined {
  const apiVersion = textAt(value, 'apiVersion');
  if (!isJoining(kind)) {
    if (apiVersion === undefined) errors.at([], 'apiVersion is missing');
    else if (isOfKubeadm(value) && !OTHERS.includes(kind))
      errors.at(['kind'], `${GROUP} has no such kind${didYouMean(kind, [...JOINING, ...OTHERS])}`);
    else warnings.at([], `the ${kindText(kind)} is ignored: it does not configure joining`);
    return undefined;
  }
  if (apiVersion === undefined && kind === 'NodeConfiguration') {
    // The documentation of 2017 omits it, and only one version existed.
    warnings.at([], `apiVersion is missing: read as ${apiVersionOf('v1alpha1')}`);
    return 'v1alpha1';
  }
  const version = VERSIONS.find((each) => apiVersionOf(each) === apiVersion);
  const supported = `one of ${SUPPORTED.join(', ')}`;
  if (apiVersion === undefined) errors.at([], `apiVersion is missing: it must be ${supported}`);
  else if (version === undefined)
    errors.at(['apiVersion'], `apiVersion must be ${supported}${didYouMean(apiVersion, SUPPORTED)}`);
  else if (kindOf(version) !== kind)
    errors.at(['kind'], `${apiVersion} has no ${kind}: it is ${kindOf(version)} there`);
  else return version;
  return undefined;
}

export const isOfKubeadm = (document: unknown): boolean => textAt(document, 'apiVersion')?.split('/')[0] === GROUP;

const isJoining = (kind: string): kind is Kind => (JOINING as readonly string[]).includes(kind);

/** Shows names only: any other text may be a misplaced secret. */
const kindText = (kind: string): string => (/^[A-Za-z]{1,60}$/.test(kind) ? kind : 'document of another kind');

const textAt = (value: unknown, key: string): string | undefined => {
  const found = (value as Record<string, unknown> | null | undefined)?.[key];
  return typeof found === 'string' && found !== '' ? found : undefined;
};
