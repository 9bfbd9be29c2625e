/** Compares the manifest of a plugin with what its code exports, and reports every difference. */

import { schemaDefect } from '../documents/schema-defect.ts';
import { violations } from '../documents/validate.ts';
import { missingBound } from '../sdk/bounds.ts';
import { type AnyPhase, changesCluster } from '../sdk/index.ts';
import { clean } from '../sdk/text.ts';
import type { Manifest } from './manifest.ts';

const TEXT = { type: 'string', maxLength: 2000 } as const;
const TEXTS = { type: 'array', maxItems: 1000, items: TEXT } as const;
const OBJECT = { type: 'object', required: ['type'], properties: { type: { const: 'object' } } } as const;

/** The shape of any phase. `missingBound` checks its effects. */
const SHAPE = {
  type: 'object',
  required: ['name', 'summary', 'input', 'output', 'effects'],
  properties: {
    name: { ...TEXT, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'x-form': 'be lower-case letters, digits and -' },
    summary: { ...TEXT, minLength: 1 },
    input: OBJECT,
    output: OBJECT,
    irreversible: TEXT,
    effects: {
      type: 'array',
      maxItems: 1000,
      items: {
        type: 'object',
        required: ['kind', 'why'],
        properties: {
          kind: TEXT,
          why: TEXT,
          path: TEXT,
          name: TEXT,
          program: TEXT,
          resource: TEXT,
          service: TEXT,
          actions: TEXTS,
          verbs: TEXTS,
          mode: { type: 'integer', minimum: 0, maximum: 0o7777 },
        },
      },
    },
    gates: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'stage', 'default', 'since', 'what'],
        properties: { name: TEXT, since: TEXT, until: TEXT, what: TEXT, default: { type: 'boolean' } },
      },
    },
  },
} as const;

export function differencesBetween(manifest: Manifest, phases: readonly AnyPhase[]): string[] {
  const malformed = phases.flatMap((phase) => {
    const { run: _, undo: __, onEvent: ___, origin: ____, ...data } = phase;
    return violations(SHAPE, structuredClone(data)).map(({ path, message }) =>
      clean(`phase ${phase.name}: ${path.join('.')} ${message}`),
    );
  });
  if (malformed.length > 0) return malformed;
  const gates = phases.flatMap((phase) => (phase.gates ?? []).map(({ name }) => name));
  return [
    ...sets(
      'phase',
      manifest.phases,
      phases.map(({ name }) => name),
    ),
    ...sets('feature gate', manifest.featureGates, [...new Set(gates)]),
    ...phases.flatMap((phase) => [...unusable(phase), ...effectsBeyond(manifest, phase)]),
  ];
}

function sets(what: string, listed: readonly string[], made: readonly string[]): string[] {
  const twice = made.filter((name, index) => made.indexOf(name) !== index);
  return [
    ...listed
      .filter((name) => !made.includes(name))
      .map((name) => `${what} ${name} is in the manifest, and not in the code`),
    ...made
      .filter((name) => !listed.includes(name))
      .map((name) => `${what} ${name} is in the code, and not in the manifest`),
    ...twice.map((name) => `${what} ${name} is duplicated`),
  ];
}

const effectsBeyond = ({ effects: bounds }: Manifest, { name, effects }: AnyPhase): string[] =>
  effects.flatMap((effect) => {
    const what = missingBound(bounds, effect);
    return what === undefined ? [] : [`phase ${name} declares an effect that the manifest does not allow: ${what}`];
  });

function unusable({ name, input, output, effects, undo, irreversible }: AnyPhase): string[] {
  const schemas = Object.entries({ input, output }).flatMap(([which, schema]) => {
    const why = schemaDefect(schema);
    return why === undefined ? [] : [`the ${which} schema of phase ${name} cannot be used: ${clean(why)}`];
  });
  const isOpen = effects.some(changesCluster) && undo === undefined && irreversible === undefined;
  return [...schemas, ...(isOpen ? [`phase ${name} changes the cluster, but has neither undo nor irreversible`] : [])];
}
