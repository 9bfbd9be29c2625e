/** Reads the text of a YAML file into a document whose problems can be reported with file, line and column. */
import type { Document, ParsedNode } from 'yaml';
import { readYaml } from '../sdk/yaml.ts';
import { decimalModes } from './decimal-modes.ts';
import { DocumentLocator, type Locator, SourceText } from './place.ts';
import { Problems } from './problems.ts';

/**
 * Enough for the 10,000 short steps that the pipeline schema allows. A file with many more takes over a second to
 * read.
 */
const TOKENS_MAX = 250_000;

export interface ReadDocument {
  document: Document.Parsed<ParsedNode>;
  source: SourceText;
  /** The document as plain data. */
  value: unknown;
  problems: Problems;
}

/**
 * Throws E_PIPELINE if the text is not YAML or exceeds the limits of `readYaml`. `problems` already lists the decimal
 * modes.
 */
export function readDocument(file: string, text: string): ReadDocument {
  const { document, lines, value, errors } = readYaml(text, { dialect: 'core', tokensMax: TOKENS_MAX });
  const source = new SourceText(file, lines, text);
  const problems = new Problems(new DocumentLocator(source, document));
  for (const { offset, message } of errors) problems.atPlace(source.place(offset), message, 'yaml');
  problems.throwIfAny(); // the document may be nested too deeply to walk
  for (const { offset, end, message } of decimalModes(document))
    problems.atPlace(source.place(offset, end), message, 'decimal-mode');
  return { document, source, value, problems };
}

/** Finds places in a text that is parsed only when the first place is asked for. */
export function lazyLocator(file: string, text: string): Locator {
  let opened: Locator | undefined;
  const open = (): Locator => {
    const { document, lines } = readYaml(text, { dialect: 'core', tokensMax: TOKENS_MAX });
    opened ??= new DocumentLocator(new SourceText(file, lines, text), document);
    return opened;
  };
  return {
    at: (path) => (opened ?? open()).at(path),
    atKey: (path, key) => (opened ?? open()).atKey(path, key),
  };
}
