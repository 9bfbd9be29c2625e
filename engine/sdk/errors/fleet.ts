/** Fleets: their documents, and the engine that keeps what a rollout has done. */

import { type ErrorText, EXIT } from './join-error.ts';
import type { Problem } from './problem.ts';

export const fleet = {
  E_FLEET: (d: { problems: readonly Problem[] }) => ({
    message: d.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'),
    hint:
      'schemas/fleet.schema.json describes the format. To check the file without reaching a machine: join fleet ' +
      'validate FILE',
    exitCode: EXIT.pipeline,
  }),
  E_FLEET_FILE: (d: { file: string; what: string }) => ({
    message: `cannot read the fleet ${d.file}: ${d.what}`,
    hint: 'Check the path. docs/fleets.md has a fleet to start from.',
    exitCode: EXIT.pipeline,
  }),
  E_FLEET_PORT: (d: { address: string; what: string }) => ({
    message: `the dashboard cannot listen on ${d.address}: ${d.what}`,
    hint: 'Choose another port with --port PORT, or leave --port out for a free one.',
    exitCode: EXIT.usage,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
