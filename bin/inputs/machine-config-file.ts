/** The text of `/etc/joinery/config.yaml` → defaults, each with its place. */
import { statSync } from 'node:fs';
import type { Path } from '../../engine/documents/place.ts';
import { readDocument } from '../../engine/documents/read.ts';
import { checkShape } from '../../engine/documents/shape.ts';
import { defined, fail, isJoinError, Secret } from '../../engine/sdk/index.ts';
import schema from '../../schemas/config.schema.json' with { type: 'json' };
import type { OutputFormat } from './raw-flags.ts';
import { trustedText } from './trusted-text.ts';
import type { MachineConfig, Source, Value } from './values.ts';

interface Document {
  environments?: string[];
  output?: OutputFormat;
  color?: string;
  tokenFile?: string;
  inputs?: Record<string, unknown>;
}

/** E_MACHINE_CONFIG with every problem. E_FILE_UNTRUSTED or E_FILE for the file of the token. */
export function parseMachineConfig(file: string, text: string): MachineConfig {
  const { value, token, sourceOf } = documentIn(file, text);
  const { environments = [], output, color, inputs = {} } = value;
  const values = Object.entries(inputs).map(([name, input]): [string, Value] => [
    name,
    { value: input, source: sourceOf('inputs', name) },
  ]);
  if (token !== undefined) values.push(['token', { value: token, source: sourceOf('tokenFile') }]);
  return {
    values: Object.fromEntries(values),
    environments: environments.map((name, index) => ({ name, source: sourceOf('environments', index) })),
    ...defined({ output, color }),
  };
}

interface Parsed {
  value: Document;
  token: Secret | undefined;
  sourceOf(...path: Path): Source;
}

function documentIn(file: string, text: string): Parsed {
  try {
    const { value, problems } = readDocument(file, text);
    checkShape(schema, value, problems);
    problems.throwIfAny();
    const { tokenFile } = value as Document;
    const token = tokenFile === undefined ? undefined : tokenIn(tokenFile, (what) => problems.at(['tokenFile'], what));
    problems.throwIfAny();
    const sourceOf = (...path: Path): Source => {
      const { line, column } = problems.placeOf(path);
      return { kind: 'config', place: { file, line, column, field: path.join('.') } };
    };
    return { value: value as Document, token, sourceOf };
  } catch (error) {
    if (!isJoinError(error) || error.code !== 'E_PIPELINE') throw error;
    throw fail('E_MACHINE_CONFIG', error.facts as never, error.cause);
  }
}

function tokenIn(file: string, report: (what: string) => void): Secret | undefined {
  const text = trustedText(file);
  if (text === undefined) {
    report(`${file} does not exist`);
    return undefined;
  }
  const mode = statSync(file).mode & 0o7777;
  if ((mode & 0o077) !== 0) report(`others may read the token (mode ${mode.toString(8)}): chmod go-rwx ${file}`);
  return new Secret(text.trim());
}
