import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { controlPlaneSettings, paths, releaseFacts } from '../../engine/node/index.ts';
import type { Check, Inputs } from '../../phases/preflight/check.ts';
import { checksFor } from '../../phases/preflight/checks.ts';
import { checksFor as controlPlaneChecks } from '../../phases/preflight-control-plane/checks.ts';
import { CONFIGURATION } from '../helpers/control-plane.ts';
import { input, NAMES, RECENT, SOCKET } from '../helpers/joinable.ts';
import { PROJECT } from '../helpers/sources.ts';

const unique = (names: string[]): string[] => [...new Set(names)];

/** Each part has a table with a row for each check. */
const [workers = '', controlPlanes = ''] = readFileSync(join(PROJECT, 'docs/preflight.md'), 'utf8').split(
  '## Checks of a control plane',
);
const rowsOf = (text: string): string[] =>
  text.split('\n').filter((line) => /^\| `/.test(line) && !line.includes('E_'));

describe('docs/preflight.md', () => {
  const overrides = (other: Partial<Inputs> = {}): Inputs => ({
    ...input,
    standalone: true,
    caCertPath: paths.caCert,
    ...other,
  });
  const kind = ({ severity, addedBy, warnsBy, droppedBy }: Check) =>
    [
      severity,
      ...(addedBy === undefined ? [] : [`from ${releaseFacts[addedBy].since} on`]),
      ...(warnsBy === undefined ? [] : [`warning from ${releaseFacts[warnsBy].since} on`]),
      ...(droppedBy === undefined ? [] : [`gone from ${releaseFacts[droppedBy].since} on`]),
    ].join('; ');

  test('docs/preflight.md has a row for each check with its texts', () => {
    const { endpoint: _, ...plain } = overrides();
    const rows = checksFor(plain).map(
      (check) => `| \`${check.name}\` | ${kind(check)} | ${check.passesIf} | ${check.hint} |`,
    );
    expect(rowsOf(workers)).toEqual(rows);
  });

  test('docs/preflight.md names each check of a control plane with its severity', () => {
    const noMachine = {} as Parameters<typeof controlPlaneChecks>[0]; // the checks are listed, and not made
    const external = { endpoints: ['https://etcd.test:2379'], caFile: '/ca', certFile: '/crt', keyFile: '/key' };
    const checks = [CONFIGURATION, { ...CONFIGURATION, etcd: { external } }].flatMap((configuration) =>
      controlPlaneChecks(noMachine, controlPlaneSettings(configuration), 6443),
    );
    const documented = rowsOf(controlPlanes).flatMap((row) => {
      const [names = '', severity = ''] = row.split(' | ');
      return [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => `${name} ${severity}`);
    });
    expect(unique(checks.map(({ name, severity }) => `${name} ${severity}`)).sort()).toEqual(documented.sort());
  });

  test('each check has a unique name and applies to the right inputs', () => {
    const names = (other: Partial<Inputs>) =>
      checksFor(overrides(other)).flatMap(({ name, applies }) => (applies === false ? [] : [name]));
    const every = checksFor(overrides()).map(({ name }) => name);
    expect(unique(every)).toEqual(every);
    const only = (other: Partial<Inputs>) => names(other).filter((name) => !names({}).includes(name));
    expect(names({}).filter((name) => !RECENT.includes(name))).toEqual(NAMES);
    expect(only({ endpoint: '[fd00::1]:6443' })).toEqual([
      'FileContent--proc-sys-net-bridge-bridge-nf-call-ip6tables',
      'FileContent--proc-sys-net-ipv6-conf-default-forwarding',
    ]);
    expect(only({ criSocket: 'unix:///var/run/dockershim.sock' })).toEqual(['Service-Docker', 'IsDockerSystemdCheck']);
    expect(only({ criSocket: SOCKET })).toEqual([]);
  });
});
