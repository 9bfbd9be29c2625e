/** The condition between two waves: `proceedIf`, in CEL over the results of the wave. */
import { Cel } from '../expressions/cel.ts';
import { WAVE_ROOTS } from '../expressions/references.ts';
import type { Schema } from '../sdk/schema.ts';
import { didYouMean } from '../sdk/text.ts';
import type { HostState } from './status.ts';

/** What a condition reads as `wave.…`. */
export interface WaveResult {
  /** Hosts by result. `total` counts all of them. */
  joined: number;
  unchanged: number;
  failed: number;
  skipped: number;
  total: number;
  durationSeconds: number;
  hosts: { name: string; state: HostState; role: string; labels: Record<string, string>; durationSeconds: number }[];
}

const PROPERTIES: Readonly<Record<keyof WaveResult, Schema>> = {
  joined: { type: 'integer' },
  unchanged: { type: 'integer' },
  failed: { type: 'integer' },
  skipped: { type: 'integer' },
  total: { type: 'integer' },
  durationSeconds: { type: 'number' },
  hosts: { type: 'array', items: { type: 'object', properties: { durationSeconds: { type: 'number' } } } },
};
const isProperty = (name: string): name is keyof WaveResult => Object.hasOwn(PROPERTIES, name);

/** A checked condition. Throws an Error that says what is wrong with the text. */
export function parseProceedIf(text: string): (wave: WaveResult) => boolean {
  if (text.includes('${{')) throw new Error('a condition is a bare expression: remove the ${{');
  const cel = new Cel(text.trim(), WAVE_ROOTS);
  const schemas = cel.sites.map(({ reference: { kind, ...named } }) => {
    const name = kind === 'wave' && 'name' in named ? named.name : '';
    if (isProperty(name)) return PROPERTIES[name];
    throw new Error(`a wave has no ${name}${didYouMean(name, Object.keys(PROPERTIES))}`);
  });
  const type = cel.check(schemas);
  if (type !== 'bool' && type !== 'dyn') throw new Error(`a condition must be a bool, not ${type}`);
  return (wave) => {
    const value = cel.evaluate((reference) =>
      'name' in reference ? wave[reference.name as keyof WaveResult] : undefined,
    );
    if (typeof value !== 'boolean') throw new Error('it is not a boolean');
    return value;
  };
}
