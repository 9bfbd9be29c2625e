/** A document for programs, in the format that `--output` names. */
import { printable } from '../../engine/sdk/index.ts';
import { escaped, escapedJson, jsonText } from './json.ts';

export type DocumentFormat = 'json' | 'yaml' | 'jsonl';

/** `jsonl` is the document in one line. */
export async function documentText(document: object, format: DocumentFormat): Promise<string> {
  if (format === 'yaml') return yamlText(document);
  return format === 'json' ? jsonText(document) : escapedJson(JSON.stringify(document));
}

/** A text with characters that a terminal would interpret is quoted, and they are escaped. */
async function yamlText(document: object): Promise<string> {
  const { Document, visit } = await import('yaml');
  const yaml = new Document(JSON.parse(JSON.stringify(document)), { aliasDuplicateObjects: false });
  visit(yaml, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && printable(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return printable(yaml.toString({ lineWidth: 0 }).trimEnd(), escaped);
}
