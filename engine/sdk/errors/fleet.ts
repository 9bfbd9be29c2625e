/** Fleets: their documents, and the engine that keeps what a rollout has done. */

import { list } from './hints.ts';
import { type ErrorText, EXIT } from './join-error.ts';
import type { Problem } from './problem.ts';

function unknownFleet({ name, known }: { name: string | undefined; known: readonly string[] }): string {
  const fleets = `fleets of this user on this machine: ${list(known) || 'none'}`;
  return name === undefined ? `no fleet was chosen; ${fleets}` : `fleet ${name} was not found; ${fleets}`;
}

export const fleet = {
  E_FLEET: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint:
      'schemas/fleet.schema.json describes the format. To check the file without reaching a machine: join fleet ' +
      'validate FILE',
    exitCode: EXIT.pipeline,
  }),
  E_FLEET_ACTION: (d: { action: string; what: string }) => ({
    message: `cannot ${d.action}: ${d.what}`,
    hint: 'See what the rollout does: join fleet status',
    exitCode: EXIT.usage,
  }),
  E_FLEET_BUG: (d: { what: string }) => ({
    message: `the request to the machine ended with an error that Joinery does not know: ${d.what}`,
    hint: 'Please report it with the lines above. To try the host again: join fleet retry HOST',
    exitCode: EXIT.bug,
  }),
  E_FLEET_FILE: (d: { file: string; what: string }) => ({
    message: `cannot read the fleet ${d.file}: ${d.what}`,
    hint: 'Check the path. docs/fleets.md has a fleet to start from.',
    exitCode: EXIT.pipeline,
  }),
  E_FLEET_OPERATOR: (d: { fleet: string }) => ({
    message: `no operator runs for fleet ${d.fleet} on this machine, so its rollout makes no progress`,
    hint:
      'To continue the rollout: join fleet run FILE\n' +
      '  → To roll back machines of a rollout that has ended: join fleet undo',
    exitCode: EXIT.usage,
  }),
  E_FLEET_RUNNING: (d: { fleet: string }) => ({
    message: `another process is the operator of fleet ${d.fleet}`,
    hint: 'See what it does: join fleet status',
    exitCode: EXIT.usage,
  }),
  E_FLEET_SERVER: (d: { what: string }) => ({
    message: `fleets need a Restate server: ${d.what}`,
    hint:
      'Install it: npm install --global --ignore-scripts @restatedev/restate-server\n  → Or name one: ' +
      'JOINERY_RESTATE_SERVER=/path/to/restate-server, or JOINERY_RESTATE=http://HOST:8080 for a server that runs',
    exitCode: EXIT.machine,
  }),
  E_FLEET_STOPPED: (d: { signal: string }) => ({
    message: `the operator was stopped by ${d.signal}; machines that were joining finish by themselves`,
    hint: 'To continue the rollout: join fleet run FILE',
    exitCode: d.signal === 'SIGTERM' ? EXIT.terminated : EXIT.cancelled,
  }),
  E_FLEET_UNDO_UNCONFIRMED: (d: { fleet: string; wave: number | undefined }) => ({
    message: 'a rollback must be confirmed at a terminal or with --yes; no machine was rolled back',
    hint:
      `To roll the machines back: join fleet undo --fleet ${d.fleet}` +
      `${d.wave === undefined ? '' : ` --wave ${d.wave}`} --yes`,
    exitCode: EXIT.usage,
  }),
  E_FLEET_UNKNOWN: (d: { name: string | undefined; known: readonly string[] }) => ({
    message: unknownFleet(d),
    hint: d.known.length === 0 ? 'To start a rollout: join fleet run FILE' : `Choose one: --fleet ${d.known[0]}`,
    exitCode: EXIT.usage,
  }),
  E_FLEET_PORT: (d: { address: string; what: string }) => ({
    message: `the dashboard cannot listen on ${d.address}: ${d.what}`,
    hint: 'Choose another port with --dashboard-port PORT, or omit the flag for a free one.',
    exitCode: EXIT.usage,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
