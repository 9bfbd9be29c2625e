/** `joinery.lock` pins the exact plugins that a pipeline or a machine uses. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../documents/json.ts';
import { violations } from '../documents/validate.ts';
import { MachineFiles } from '../host/files.ts';
import { readTrusted } from '../host/trusted.ts';
import { reasonOf } from '../limits/errno.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';
import type { PluginSource } from './find.ts';
import type { InspectedPlugin } from './inspect.ts';

export const LOCK = 'joinery.lock';

export interface Pin {
  version: string;
  integrity: string;
}

export interface Lock {
  file: string;
  /** It has to pin the plugins that this source names. */
  by: PluginSource;
  /** The command that writes the lock file. */
  command: string;
  plugins: Readonly<Record<string, Pin>>;
}

const PIN = {
  type: 'object',
  required: ['version', 'integrity'],
  additionalProperties: false,
  properties: { version: { type: 'string' }, integrity: { type: 'string', pattern: '^sha512-[A-Za-z0-9+/]{86}==$' } },
} as const;
const SCHEMA = {
  type: 'object',
  required: ['lockVersion', 'plugins'],
  additionalProperties: false,
  properties: { lockVersion: { const: 1 }, plugins: { type: 'object', additionalProperties: PIN } },
} as const;

/** The lock file, or undefined if it does not exist. Errors: E_PLUGIN_LOCK_FILE, E_FILE_UNTRUSTED. */
export function readLock(folder: string, by: PluginSource, command: string): Lock | undefined {
  const file = join(folder, LOCK);
  if (!existsSync(file)) return undefined;
  const refuse = (what: string) => fail('E_PLUGIN_LOCK_FILE', { file, what: clean(what) });
  let value: unknown;
  try {
    value = parseJson(readTrusted(file));
  } catch (error) {
    if (isJoinError(error)) throw error;
    throw refuse(reasonOf(error).replace(file, 'it'));
  }
  const [violation] = violations(SCHEMA, value);
  if (violation !== undefined) throw refuse(`${violation.path.join('.')} ${violation.message}`.trim());
  return { file, by, command, plugins: (value as Pick<Lock, 'plugins'>).plugins };
}

export async function writeLock(folder: string, plugins: readonly InspectedPlugin[]): Promise<string> {
  const pins = plugins.map(({ manifest: { name, version }, integrity }): [string, Pin] => [
    name,
    { version, integrity },
  ]);
  const text = JSON.stringify({ lockVersion: 1, plugins: Object.fromEntries(pins.sort()) }, null, 2);
  const file = join(folder, LOCK);
  await new MachineFiles('/').replaceFile(file, Buffer.from(`${text}\n`), 0o644);
  return file;
}

/** E_PLUGIN_LOCK if a lock pins another digest, or has to pin the plugin and does not. */
export function assertPinned(plugin: InspectedPlugin, by: PluginSource, locks: readonly Lock[]): void {
  const { manifest, integrity } = plugin;
  const { name, version } = manifest;
  for (const lock of locks) {
    const pin = Object.hasOwn(lock.plugins, name) ? lock.plugins[name] : undefined;
    if (pin === undefined ? lock.by !== by : pin.integrity === integrity) continue;
    const { file, command } = lock;
    throw fail('E_PLUGIN_LOCK', { plugin: name, file, command, pinned: pin, found: { version, integrity } });
  }
}
