import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dottedPathOf, FIELDS } from '../../../engine/kubeadm/fields.ts';
import { defaultConfiguration, loadJoinConfiguration } from '../../../engine/kubeadm/index.ts';
import { apiVersionOf, kindOf, schemas, VERSIONS } from '../../../engine/kubeadm/versions.ts';
import { fields } from '../../../engine/node/index.ts';
import type { Schema } from '../../../engine/sdk/index.ts';
import discovery from '../../../phases/discovery-token/index.ts';
import { examples, meaningOf } from '../../helpers/kubeadm.ts';
import { PROJECT } from '../../helpers/sources.ts';

/** `[place, schema]` of every field that holds no further ones. */
function leavesOf(schema: Schema, place: string[] = []): [string, Schema][] {
  if (schema.properties === undefined) return [[place.join('.'), schema]];
  return Object.entries(schema.properties).flatMap(([name, inner]) => leavesOf(inner, [...place, name]));
}
const allSchemas = (schema: Schema): Schema[] => [
  schema,
  ...Object.values(schema.properties ?? {}).flatMap(allSchemas),
  ...(schema.items === undefined ? [] : allSchemas(schema.items)),
];

describe.each(VERSIONS)('the schema of %s', (version) => {
  const schema = schemas[version];
  const leaves = new Map(leavesOf(schema));

  test('a schema has a file of its name, and says which version and kind it describes', () => {
    const name = `${version}.${kindOf(version)}.schema.json`;
    expect(readdirSync(join(PROJECT, 'schemas/kubeadm'))).toContain(name);
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `https://joinery.dev/schemas/kubeadm/${name}`,
      properties: { apiVersion: { const: apiVersionOf(version) } },
    });
  });

  test('a schema has exactly the fields that Joinery reads', () => {
    const places = FIELDS.map((field) => dottedPathOf(field, version)).filter((place) => place !== undefined);
    const read = places.filter((place) => !places.some((other) => other.startsWith(`${place}.`)));
    expect([...leaves.keys()].sort()).toEqual(['apiVersion', 'kind', ...read].sort());
  });

  test('a schema accepts the example by itself', () => {
    const validate = new Ajv2020({ strict: false }).compile(schema);
    expect(validate(parse(examples[version])), JSON.stringify(validate.errors)).toBe(true);
  });

  test('a schema allows no unknown field, and describes each field', () => {
    for (const each of allSchemas(schema))
      if (each.properties !== undefined) expect(each.additionalProperties).toBe(false);
    for (const [place, leaf] of leaves)
      if (!/^(apiVersion|kind)$/.test(place)) expect(leaf.description, place).toMatch(/^[A-Z].*\.$/);
  });

  test('a schema hides every token and key, and has the constraints of the flags', () => {
    for (const [place, leaf] of leaves)
      expect(leaf.writeOnly ?? false, place).toBe(/[tT]oken$|certificateKey$/.test(place));
    const formOf = (field: Parameters<typeof dottedPathOf>[0]): Schema =>
      leaves.get(dottedPathOf(field, version) ?? '') ?? {};
    const { endpoint, discoveryTokenCaCertHash } = discovery.input.properties;
    for (const field of ['token', 'discoveryToken', 'tlsBootstrapToken'] as const)
      if (dottedPathOf(field, version) !== undefined) expect(formOf(field).pattern).toBe(fields.bootstrapToken.pattern);
    expect(formOf('nodeName')).toMatchObject({
      pattern: fields.nodeName.pattern,
      maxLength: fields.nodeName.maxLength,
    });
    expect(formOf('caCertPath').pattern).toBe(fields.caCertPath.pattern);
    expect((formOf('apiServers').items ?? formOf('apiServers')).pattern).toBe(endpoint.pattern);
    expect(formOf('caCertHashes').items?.pattern).toBe(discoveryTokenCaCertHash.items.pattern);
  });
});

test('schemas exist for the supported versions only', () => {
  expect(readdirSync(join(PROJECT, 'schemas/kubeadm'))).toHaveLength(VERSIONS.length);
});

describe('the configuration to start from', () => {
  test('the default configuration has the defaults of the schema, and is for a worker', () => {
    const printed = new Map(leavesOf(schemas.v1beta4));
    const withDefault = [...printed].filter(
      ([place, { default: value }]) => value !== undefined && value !== false && !place.startsWith('controlPlane'),
    );
    const configuration = defaultConfiguration('w1');
    const at = (place: string) =>
      place.split('.').reduce((value: unknown, name) => (value as Record<string, unknown>)[name], configuration);
    expect(withDefault.length).toBeGreaterThan(9);
    for (const [place, leaf] of withDefault) expect(at(place), place).toBe(leaf.default);
  });

  test('the default configuration is valid, and names the machine', () => {
    const { settings } = loadJoinConfiguration('d.yaml', JSON.stringify(defaultConfiguration('w7')));
    expect(meaningOf(settings)).toMatchObject({
      nodeName: 'w7',
      discovery: {
        token: 'abcdef.0123456789abcdef',
        apiServers: ['kube-apiserver:6443'],
        unsafeSkipCaVerification: true,
      },
      taints: undefined,
    });
  });
});
