import { describe, expect, test } from 'vitest';
import { sdk } from '../../../bin/plugins/sdk.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { fail, type HttpCall, revealSecrets } from '../../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../../engine/testing/memory-host.ts';
import { notify as make } from '../../../plugins/notify/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../../helpers/contract.ts';

const notify = make(sdk);
const WEBHOOK = 'https://hooks.example/joinery';
const CANARY = 'canary-hook-0123';
const input = { webhook: WEBHOOK, headers: { authorization: `Bearer ${CANARY}` }, log: true, events: 'all' };

function heard(answer: (call: HttpCall) => { status: number; body: string } = () => ({ status: 204, body: '' })) {
  const calls: HttpCall[] = [];
  const machine = (): MemoryMachine => ({
    programs: ['logger'],
    call(call) {
      calls.push(call);
      return answer(call);
    },
  });
  return { calls, machine, bodies: () => calls.map(({ body }) => JSON.parse(String(revealSecrets(body)))) };
}

describe('notify', () => {
  test('notify sends each event as JSON, and writes it to the log', async () => {
    const { calls, machine, bodies } = heard();
    const host = memoryHost(machine());
    const { result } = await runPhase(notify, input, host);
    expect([result.status, result.steps[0]?.notes, result.steps[0]?.changes]).toEqual(['succeeded', [], []]);
    expect(bodies()).toMatchObject([
      { apiVersion: 'joinery.dev/v1', kind: 'Event', type: 'step.ended', step: 'notify', status: 'succeeded' },
      { type: 'run.ended', status: 'succeeded', machine: 'w1', pipeline: 'phase notify' },
    ]);
    expect(calls[0]).toMatchObject({ method: 'POST', url: WEBHOOK });
    expect(revealSecrets(calls[0]?.headers)).toMatchObject({ authorization: `Bearer ${CANARY}` });
    const logged = host.changes.flatMap((change) => (change.kind === 'command' ? [change.argv.at(-1)] : []));
    expect(logged).toEqual(['run made: step.ended notify succeeded', 'run made: run.ended succeeded']);
  });

  test('notify sends only the last event if so configured', async () => {
    const { machine, bodies } = heard();
    await runPhase(notify, { ...input, events: 'end' }, memoryHost(machine()));
    expect(bodies()).toMatchObject([{ type: 'run.ended' }]);
  });

  test('notify warns, but does not fail, if the receiver does not answer', async () => {
    const facts = { method: 'POST', url: WEBHOOK, what: 'refused', retried: false };
    const { machine } = heard(() => {
      throw fail('E_HTTP_UNREACHABLE', facts);
    });
    const { result } = await runPhase(notify, input, memoryHost(machine()));
    expect(result.status).toBe('succeeded');
    expect(result.steps[0]?.notes).toEqual([
      { level: 'warn', text: `event not delivered: POST ${WEBHOOK} got no response: refused` },
    ]);
  });

  test('notify sends nothing in a dry run, and never sends a secret', async () => {
    const { calls, machine } = heard();
    const { result } = await runPhase(notify, input, recordingHost(memoryHost(machine())));
    expect([result.status, calls]).toEqual(['succeeded', []]);
    const real = heard();
    await runPhase(notify, input, memoryHost(real.machine()));
    expect(JSON.stringify(real.bodies())).not.toContain(CANARY);
  });

  test('notify reports that it has neither a receiver nor a logger', async () => {
    const defaults = { headers: {}, log: false, events: 'end' };
    const withoutReceiver = await runPhase(notify, defaults, memoryHost());
    expect(withoutReceiver.result.steps[0]?.notes.map(({ text }) => text)).toEqual([
      'no events are sent: set webhook or log: true',
    ]);
    const withoutLogger = await runPhase(notify, { ...defaults, log: true }, memoryHost());
    expect(withoutLogger.result.steps[0]?.notes.map(({ text }) => text)).toContain(
      'logger is not on PATH, so no events are logged',
    );
  });
});

// Events are not changes of the phase, so its contract is that of the phase without onEvent.
const { onEvent: _, ...silent } = notify;
itKeepsThePhaseContract(silent as never, { input, machine: heard().machine, secrets: [CANARY], changesNothing: true });
