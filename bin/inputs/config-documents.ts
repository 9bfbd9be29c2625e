/** kubeadm's configuration files on disk. They hold tokens. */
import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { MachineFiles } from '../../engine/host/files.ts';
import { fail, type Problem, type Secret } from '../../engine/sdk/index.ts';
import { readText } from '../sources.ts';

export const lenientFlag = Flags.boolean({
  description: 'Fields that are unknown or there twice are only warned of, as by kubeadm join',
});

/** `-` is standard input. E_CONFIG_FILE. */
export async function readConfigurationFile(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (error) {
    throw fail('E_CONFIG_FILE', { file, what: (error as Error).message }, error);
  }
}

/** Only its owner may read it, and nobody sees half of it. E_FILE. */
export const writeConfigurationFile = (file: string, text: Secret): Promise<void> =>
  new MachineFiles('/').replaceFile(resolve(file), Buffer.from(text.reveal()), 0o600);

export const warningLines = (warnings: readonly Problem[]): string =>
  warnings.map(({ file, line, column, message }) => `! ${file}:${line}:${column}: ${message}\n`).join('');
