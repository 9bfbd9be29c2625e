/** Numbers with a leading zero. YAML 1.2 reads 0644 as 644, but the author meant a file mode. */
import { type Document, type ParsedNode, visit } from 'yaml';

export interface DecimalMode {
  offset: number;
  end: number;
  message: string;
}

export function decimalModes(document: Document.Parsed<ParsedNode>): DecimalMode[] {
  const found: DecimalMode[] = [];
  visit(document, {
    Scalar(_, { value, source = '', type, range }) {
      if (type !== 'PLAIN' || typeof value !== 'number' || !/^0\d+$/.test(source)) return;
      const [offset = 0, end = 0] = range ?? [];
      found.push({ offset, end, message: `YAML reads ${source} as the number ${value}: write "${source}"` });
    },
  });
  return found;
}
