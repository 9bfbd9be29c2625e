/** The claims of docs/seed-coverage.md about the documentation of kubeadm join of November 2017. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { flagsFor } from '../../bin/inputs/flags.ts';
import { DEFAULT_PIPELINE } from '../../bin/pipelines.ts';
import { project } from '../bin/cli.ts';
import { catalog } from '../helpers/app.ts';
import { holds, namedIn } from '../helpers/named-tests.ts';

const read = (path: string): Promise<string> => readFile(join(project, path), 'utf8');

/** The table of flags of `kubeadm join`, November 2017. */
const FLAGS = [
  ...['config', 'cri-socket', 'discovery-file', 'discovery-token', 'discovery-token-ca-cert-hash'],
  ...['discovery-token-unsafe-skip-ca-verification', 'feature-gates', 'ignore-checks-errors', 'node-name'],
  ...['tls-bootstrap-token', 'token'],
];

describe('the documentation of kubeadm join', () => {
  test('docs/seed-coverage.md names at least one test in each row, and all of them exist', async () => {
    const text = await read('docs/seed-coverage.md');
    const rows = text.split('\n').filter((line) => /^\| (?!topic|---)/.test(line));
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter((row) => namedIn(row).length === 0)).toEqual([]);
    const missing: string[] = [];
    for (const { file, title } of namedIn(text))
      if (!holds(await read(file).catch(() => ''), title)) missing.push(`${file} › ${title}`);
    expect(missing).toEqual([]);
  });

  test('every flag of kubeadm join of 2017 is a flag of join run', () => {
    const inputs = Object.keys(flagsFor(catalog.open(DEFAULT_PIPELINE).inputs));
    expect(FLAGS.filter((flag) => flag !== 'config' && !inputs.includes(flag))).toEqual([]);
  });
});
