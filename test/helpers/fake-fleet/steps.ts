/** The steps of machines that are behind HTTP (./machines.ts). */
import type { MachineContext, MachineSteps } from '../../../engine/fleet/machine.ts';
import { JoinError } from '../../../engine/sdk/errors.ts';

export function fakeSteps(url: string): MachineSteps {
  const ask = async (step: string, { host, signal }: MachineContext, more: object = {}) => {
    const body = JSON.stringify({ step, args: { host: host.name, ...more } });
    const response = await fetch(url, { method: 'POST', body, signal });
    const { value, error } = (await response.json()) as {
      value?: never;
      error?: { code: `E_${string}`; message: string; transient: boolean };
    };
    if (error !== undefined) throw JoinError.own({ ...error, hint: 'join doctor' });
    return value as never;
  };
  const tokenOf = ({ rollout, host, attempt }: MachineContext) => `${rollout}/${host.name}/${attempt}`;
  return {
    reach: (context) => ask('reach', context),
    install: (context) => ask('install', context),
    inspect: (context) => ask('inspect', context),
    token: (context) => ask('token', context, { token: tokenOf(context) }),
    async join(context, found, token, watch) {
      const { run, events } = (await ask('join', context, { token, found })) as { run: string; events: [] };
      for (const event of events) watch.onEvent(event);
      return { run };
    },
    answer: async () => undefined,
    verify: (context) => ask('verify', context),
    revoke: (context, token) => ask('revoke', context, { token }),
    undo: (context) => ask('undo', context),
  };
}
