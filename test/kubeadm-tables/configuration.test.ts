/** kubeadm's tables of configuration files. */
import { describe, expect, test } from 'vitest';
import { loadJoinConfiguration, migrateConfiguration } from '../../engine/kubeadm/index.ts';
import { casesOf, expectKubeadms, verdictOf } from './table.ts';

interface Document {
  text: string;
}

describe.each(['documents', 'endpoints', 'tokens-in-files', 'validation'])('configuration files: %s', (name) => {
  test.each(casesOf<Document>(name))(
    'a configuration file is accepted or refused as by kubeadm: $id',
    async ({ text, ...expected }) => {
      expectKubeadms(expected, await verdictOf(() => loadJoinConfiguration('f', text)));
    },
  );
});

const valueAt = (settings: unknown, path: string): unknown =>
  path.split('.').reduce((at, name) => (at as Record<string, unknown> | undefined)?.[name], settings) ?? null;

describe('values of configuration files', () => {
  test.each(casesOf<Document & { reads: object }>('values'))(
    'a configuration file gives the values that kubeadm reads: $id',
    ({ text, reads }) => {
      const { settings } = loadJoinConfiguration('f', text);
      const got = Object.fromEntries(Object.keys(reads).map((path) => [path, valueAt(settings, path)]));
      expect(got).toEqual(reads);
    },
  );
});

describe('migrations of configuration files', () => {
  test.each(casesOf<Document>('migrations'))(
    'a configuration file is migrated as by kubeadm: $id',
    async ({ text, ...expected }) => {
      expectKubeadms(expected, await verdictOf(() => migrateConfiguration('f', text)));
    },
  );

  const migrated = casesOf<Document>('migrations').filter(({ want, differs }) => want === 'ok' && !differs);
  test.each(migrated)('a migrated configuration file has the same values: $id', ({ text }) => {
    const after = migrateConfiguration('f', text).text.reveal();
    const plain = (value: unknown) =>
      JSON.stringify(value, (_, inner) => (inner instanceof Object && 'reveal' in inner ? inner.reveal() : inner));
    expect(plain(loadJoinConfiguration('f', after).settings)).toBe(plain(loadJoinConfiguration('f', text).settings));
  });
});
