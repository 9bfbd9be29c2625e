/** Reads a kubeadm configuration file: the settings for joining, or every problem with its line and column. */
import { type Document, isScalar, type ParsedNode, visit } from 'yaml';
import type { Problems } from '../documents/problems.ts';
import { type Violation, violations } from '../documents/validate.ts';
import { fail, type JoinError, type Problem, revealSecrets, type Schema, wrapSecrets } from '../sdk/index.ts';
import { oddCharacterNote } from '../sdk/odd-characters.ts';
import { tidied } from '../sdk/schema.ts';
import { isOfKubeadm, joiningDocument, type ParsedDocument, parseDocuments } from './documents.ts';
import { dottedPathOf, type Field, fieldValue, isName, nameOf, pathOf, valueAt } from './fields.ts';
import { checkRules } from './rules.ts';
import { type JoinSettings, settingsOf } from './settings.ts';
import { apiVersionOf, schemas, type Version } from './versions.ts';

export interface LoadOptions {
  /** Unknown and duplicated fields are warnings, as in `kubeadm join`. */
  lenient?: boolean;
}

/** The place of a field in a file. */
export interface Place {
  file: string;
  line: number;
  column: number;
  /** The field's name in this version, with dots. */
  field: string;
}

export interface JoinConfiguration {
  apiVersion: string;
  settings: JoinSettings;
  /** The place of the first of these fields that the file sets; undefined if it sets none of them. */
  placeOf(...fields: readonly Field[]): Place | undefined;
  warnings: Problem[];
}

/**
 * Reads a NodeConfiguration (v1alpha1, v1alpha2) or JoinConfiguration (v1alpha3 to v1beta4), and ignores documents of
 * other kinds. `file` is only used in messages. E_CONFIG with every problem.
 */
export function loadJoinConfiguration(file: string, text: string, options: LoadOptions = {}): JoinConfiguration {
  const { version, value, warnings, problems } = readConfiguration(file, text, options);
  return {
    apiVersion: apiVersionOf(version),
    settings: settingsOf(version, value),
    placeOf(...fields) {
      const field = fields.find((each) => fieldValue(version, value, each) !== undefined);
      const place = field && dottedPathOf(field, version);
      return place === undefined ? undefined : { ...problems.placeOf(pathOf(place)), field: place };
    },
    warnings,
  };
}

/** Whether the text asks for a control plane. False if it cannot be read, which reading it will report. */
export function asksForControlPlane(text: string): boolean {
  const joining = joiningDocument(parseDocuments('', text));
  const { version, parsed } = joining ?? {};
  if (version === undefined || typeof parsed?.value !== 'object' || parsed.value === null) return false;
  return (fieldValue(version, parsed.value, 'controlPlane') ?? false) !== false;
}

/** A valid configuration, in the form of its file. */
export interface WrittenConfiguration {
  version: Version;
  /** Without empty fields, which Go treats as absent. Tokens are `Secret`s. */
  value: object;
  document: Document.Parsed<ParsedNode>;
  /** The nodes of `document` match `value`: they contain no alias, and no field that lenient reading dropped. */
  isExact: boolean;
  /** Fields and documents that are not part of a configuration for joining. */
  dropped: string[];
  warnings: Problem[];
  /** Finds the places of fields. */
  problems: Problems;
}

/** Like `loadJoinConfiguration`. */
export function readConfiguration(file: string, text: string, { lenient = false }: LoadOptions): WrittenConfiguration {
  const documents = parseDocuments(file, text);
  const all = (kind: 'errors' | 'warnings') => documents.flatMap((document) => document[kind].sorted());
  const joining = joiningDocument(documents);
  for (const document of documents) reportDuplicates(document, lenient || !isOfKubeadm(document.value));
  if (joining === undefined) throw refusal(all('errors'));

  const { parsed, version, otherKinds } = joining;
  const { value, unknown } = checkedValue(parsed, version, lenient);
  const errors = all('errors');
  if (errors.length > 0) throw refusal(errors);

  return {
    version,
    value,
    document: parsed.document,
    isExact: parsed.duplicates.length === 0 && unknown.length === 0 && !hasAlias(parsed.document),
    dropped: [...unknown, ...otherKinds],
    warnings: all('warnings'),
    problems: parsed.errors,
  };
}

/** kubeadm is strict about its own documents alone. */
function reportDuplicates({ duplicates, errors, warnings }: ParsedDocument, isTolerated: boolean): void {
  for (const { place, what } of duplicates) (isTolerated ? warnings : errors).atPlace(place, what);
}

const PROBLEMS_MAX = 100;

function refusal(problems: readonly Problem[]): JoinError {
  const [first, ...rest] = problems.slice(PROBLEMS_MAX);
  const more = first === undefined ? [] : [{ ...first, message: `${rest.length + 1} more problems` }];
  return fail('E_CONFIG', { problems: [...problems.slice(0, PROBLEMS_MAX), ...more] });
}

/** The document's value without unknown fields. Adds the problems to those of the document. */
function checkedValue(parsed: ParsedDocument, version: Version, lenient: boolean) {
  const schema = schemas[version];
  // A NodeConfiguration can omit its apiVersion.
  const written = { ...(withoutEmpty(schema, parsed.value) as object), apiVersion: apiVersionOf(version) };
  const value = wrapSecrets(schema, written) as object;
  const unknown: string[] = [];
  for (const violation of violations(schema, revealSecrets(value))) {
    const { path, key, message } = violation;
    if (key === undefined) {
      parsed.errors.at(path, inWords(violation, value));
      continue;
    }
    const told = isName(key)
      ? message.replace('unknown key', 'unknown field')
      : `unknown field${oddCharacterNote(key)}`;
    (lenient ? parsed.warnings : parsed.errors).atKey(path, key, told);
    unknown.push(nameOf([...path, key]));
    delete (valueAt(value, path) as Record<string, unknown>)[key];
  }
  checkRules(version, value, parsed.errors);
  return { value, unknown };
}

function inWords({ path, missing, message }: Violation, value: object): string {
  if (missing !== undefined) return `${nameOf([...path, missing])} is missing`;
  return `${nameOf(path)} ${message}${remedyFor(message, valueAt(value, path))}`;
}

/** In YAML, `123` and `true` are not strings. In YAML 1.2, `yes` and `on` are not booleans. */
function remedyFor(message: string, found: unknown): string {
  const type = typeof found;
  if (message === 'must be a string' && (type === 'number' || type === 'boolean')) return `: put the ${type} in quotes`;
  return message === 'must be a boolean' && type === 'string' ? ': write true or false, without quotes' : '';
}

/** `value` without fields that are null, and without texts that are empty; names in lower case. */
function withoutEmpty(schema: Schema | undefined, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutEmpty(schema?.items, item));
  const properties = schema?.properties;
  if (properties === undefined || typeof value !== 'object' || value === null) return tidied(schema ?? {}, value);
  const schemaOf = (name: string): Schema | undefined =>
    Object.hasOwn(properties, name) ? properties[name] : undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => !isEmpty(schemaOf(name), inner))
      .map(([name, inner]) => [name, withoutEmpty(schemaOf(name), inner)]),
  );
}

const isEmpty = (schema: Schema | undefined, value: unknown): boolean =>
  schema !== undefined && (value === null || (value === '' && (schema.type === 'string' || schema.enum !== undefined)));

function hasAlias(document: Document.Parsed<ParsedNode>): boolean {
  let found = false;
  visit(document, {
    Alias() {
      found = true;
      return visit.BREAK;
    },
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== '<<') return undefined;
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}
