/** The dashboard of a fleet. */

import { type ErrorText, EXIT } from './join-error.ts';

export const dashboard = {
  E_FLEET_PORT: (d: { address: string; what: string }) => ({
    message: `the dashboard cannot listen on ${d.address}: ${d.what}`,
    hint: 'Choose another port with --port PORT, or leave --port out for a free one.',
    exitCode: EXIT.usage,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
