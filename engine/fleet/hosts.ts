/** The hosts of a Fleet document: in the document, in a file, or in the output of a command. */
import { isAbsolute, resolve } from 'node:path';
import schema from '../../schemas/fleet.schema.json' with { type: 'json' };
import { Problems } from '../documents/problems.ts';
import { readDocument } from '../documents/read.ts';
import { checkShape } from '../documents/shape.ts';
import { violations } from '../documents/validate.ts';
import { ProgramFailure, runProgram } from '../host/program.ts';
import { reasonOf } from '../limits/errno.ts';
import { readLimited } from '../limits/read.ts';
import { LIMITS } from '../limits/sizes.ts';
import { clean, decodeText } from '../sdk/text.ts';
import type { HostShape, PlacedHost } from './host-shape.ts';
import { readIni } from './inventory/ini.ts';
import { hostsOf, type Selection } from './inventory/inventory.ts';
import { readYamlInventory } from './inventory/yaml.ts';

export interface HostsSource extends Selection {
  file?: string;
  command?: string[];
}

export const HOSTS_MAX = schema.properties.hosts.maxItems;
const COMMAND_TIMEOUT_MS = 120_000;
/** A line that only an INI file begins with: a section, or a host without a colon. */
const INI = /^(\[[\w.:-]+\]|[^\s:[{"'-][^\s:]*(\s.*)?)$/;

/** For hosts outside of the Fleet document. */
export const hostSchema = { $ref: '#/$defs/host', $defs: schema.$defs };
export const hostListSchema = { type: 'array', items: { $ref: '#/$defs/host' }, $defs: schema.$defs };

/** The text of the file, or of the output of the command. Throws an Error that says what is wrong. */
export async function readHosts(source: HostsSource, folder: string): Promise<{ name: string; text: string }> {
  const { file, command = [] } = source;
  if (file !== undefined) {
    const path = isAbsolute(file) ? file : resolve(folder, file);
    try {
      return { name: file, text: decodeText(readLimited(path, { bytesMax: LIMITS.text, pipes: 'read' })) };
    } catch (error) {
      throw new Error(`cannot read ${path}: ${reasonOf(error)}`);
    }
  }
  const [program = '', ...args] = command;
  const { signal } = new AbortController(); // the program has a time limit
  const environment = process.env as Record<string, string>;
  const limits = { timeMs: COMMAND_TIMEOUT_MS, outputBytes: LIMITS.text, signal };
  try {
    const result = await runProgram(program, args, { directory: folder, environment, ...limits });
    if (result.exitCode === 0) return { name: command.join(' '), text: result.stdout };
    throw new Error(`${command.join(' ')} ended with ${result.exitCode}: ${clean(result.stderr) || 'no message'}`);
  } catch (error) {
    if (error instanceof ProgramFailure) throw new Error(`${command.join(' ')}: ${error.message}`);
    throw error;
  }
}

/** The hosts in a text: a list as in a Fleet document, or an Ansible inventory. Throws E_PIPELINE. */
export function hostsIn(
  name: string,
  text: string,
  selection: Selection,
): { hosts: PlacedHost[]; problems: Problems; unknown: (keyof Selection)[] } {
  const first = text.split('\n').find((line) => line.trim() !== '' && !/^\s*([#;]|---)/.test(line)) ?? '';
  if (INI.test(first.trimEnd())) return fromIni(name, text, selection);
  const { value, problems } = readDocument(name, text);
  if (Array.isArray(value)) {
    checkShape(hostListSchema, value, problems);
    const hosts = problems.count > 0 ? [] : value.map((host: HostShape, index) => placed(problems, host, index));
    return { hosts, problems, unknown: [] };
  }
  if (typeof value !== 'object' || value === null) {
    problems.at([], 'must be a list of hosts, or an Ansible inventory', 'shape');
    return { hosts: [], problems, unknown: [] };
  }
  const report = (path: readonly (string | number)[], message: string) => problems.at(path, message, 'inventory');
  const inventory = readYamlInventory(value, (path) => problems.placeOf(path), report);
  return checked(hostsOf(inventory, selection), problems);
}

const placed = (problems: Problems, host: HostShape, index: number): PlacedHost => ({
  host,
  placeOf: (path) => problems.placeOf([index, ...path]),
});

function fromIni(name: string, text: string, selection: Selection) {
  const problems = new Problems({ at: () => start, atKey: () => start });
  const start = { file: name, line: 1, column: 1 };
  const inventory = readIni(name, text, (place, message) => problems.atPlace(place, message, 'inventory'));
  return checked(hostsOf(inventory, selection), problems);
}

/** The hosts of an inventory, held to the schema of a host. */
function checked({ hosts, unknown }: { hosts: PlacedHost[]; unknown: (keyof Selection)[] }, problems: Problems) {
  for (const { host, placeOf } of hosts)
    for (const { path, message } of violations(hostSchema, host))
      problems.atPlace(placeOf([]), `${path.join('.')} ${message}`.trim(), 'shape');
  return { hosts, problems, unknown };
}
