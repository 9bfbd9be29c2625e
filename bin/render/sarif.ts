/** Problems as SARIF 2.1.0, which code review tools show beside the lines concerned. */
import type { Problem } from '../../engine/sdk/index.ts';

const OTHER = 'shape';

export function sarifDocument(problems: readonly Problem[], version: string): object {
  const rules = [...new Set(problems.map(({ rule = OTHER }) => rule))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'joinery',
            version,
            rules: rules.map((id) => ({ id, shortDescription: { text: id.replaceAll('-', ' ') } })),
          },
        },
        results: problems.map(({ file, line, column, message, rule = OTHER }) => ({
          ruleId: rule,
          ruleIndex: rules.indexOf(rule),
          level: 'error',
          message: { text: message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(file) },
                region: { startLine: line, startColumn: column },
              },
            },
          ],
        })),
      },
    ],
  };
}

const uriOf = (file: string): string => {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return file.startsWith('/') ? `file://${path}` : path;
};
