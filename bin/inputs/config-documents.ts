/** kubeadm configuration files on disk. They hold tokens. */
import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { MachineFiles } from '../../engine/host/files.ts';
import { reasonOf } from '../../engine/limits/errno.ts';
import { fail, type Problem, type Secret } from '../../engine/sdk/index.ts';
import { readText } from './read-text.ts';

export const lenientFlag = Flags.boolean({
  description: 'Warn about unknown or duplicate fields instead of failing',
});

/** `-` is standard input. E_CONFIG_FILE. */
export async function readConfigurationFile(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (error) {
    throw fail('E_CONFIG_FILE', { file, what: reasonOf(error) }, error);
  }
}

/** Writes the whole file at once; only its owner may read it. E_FILE. */
export const writeConfigurationFile = (file: string, text: Secret): Promise<void> =>
  new MachineFiles('/').replaceFile(resolve(file), Buffer.from(text.reveal()), 0o600);

export const warningLines = (warnings: readonly Problem[]): string =>
  warnings.map(({ file, line, column, message }) => `! ${file}:${line}:${column}: ${message}\n`).join('');
