/** `--certificate-key`, of the commands of an administrator. */
import { Flags } from '@oclif/core';
import { controlPlaneFields } from '../../../engine/node/index.ts';
import { fail, Secret } from '../../../engine/sdk/index.ts';
import { textOrFile } from '../../inputs/arguments.ts';

const KEY = new RegExp(controlPlaneFields.certificateKey.pattern);

export const certificateKeyFlag = (description: string) => Flags.string({ helpValue: 'KEY|@FILE', description });

/** E_INPUT, which does not repeat the key. */
export function certificateKeyOf(typed: string | undefined): Secret | undefined {
  if (typed === undefined) return undefined;
  const key = textOrFile(typed, '--certificate-key');
  if (KEY.test(key)) return new Secret(key);
  throw fail('E_INPUT', { problems: [`--certificate-key must ${controlPlaneFields.certificateKey['x-form']}`] });
}
