import { describe, expect, test } from 'vitest';
import { Journal } from '../../../engine/journal/journal.ts';
import { memoryStore } from '../../../engine/journal/memory.ts';
import { run, undo } from '../../../engine/run/run.ts';
import { controls, type Ports, serviceWrites, writes } from '../../../engine/sdk/index.ts';
import { type MemoryHost, memoryHost } from '../../../engine/testing/memory-host.ts';
import { planOfSteps } from '../../helpers/plans.ts';

const signal = new AbortController().signal;
const effects = [
  controls('acme', ['start'], 'x'),
  writes('/d/conf', 0o600, 'x'),
  writes('/d/before', 0o600, 'x'),
  writes('/d/current', undefined, 'x'),
  serviceWrites('acme', '/d/*', 'its own'),
];
const put = (host: MemoryHost, path: string, content: string) =>
  host.apply({ kind: 'file', path, content: Buffer.from(content), mode: 0o600, secret: false }, signal);
const text = async (host: MemoryHost, path: string) =>
  (await host.read<'file'>({ kind: 'file', path }, signal))?.toString();

/** Runs `act` and starts a service that keeps what is below /d; then `since` happens, and Joinery undoes it all. */
async function undone(act: (ports: Ports) => Promise<void>, since: (host: MemoryHost) => Promise<void>) {
  const host = memoryHost({ directories: ['/d'], services: { acme: {} }, files: { '/d/before': 'old' } });
  const step = async (ports: Ports) => {
    await act(ports);
    await ports.services.start('acme');
  };
  const plan = planOfSteps({ id: 'a', run: step, effects });
  const { pipeline, source, inputs } = plan;
  const start = { version: 1, id: 'made', joinery: '', pipeline, source, inputs, host: host.facts, steps: ['a'] };
  const journal = Journal.begin(memoryStore(), host.now, start);
  expect((await run({ plan, host, journal })).error).toBeUndefined();
  await since(host);
  const { error } = await undo({ plan, host, journal });
  return { host, error };
}

describe('what a service keeps', () => {
  test("undoing a service's start deletes its new files, and keeps the earlier ones", async () => {
    const { host, error } = await undone(
      async () => undefined,
      (host) => put(host, '/d/new', 'x'),
    );
    expect([error, await text(host, '/d/new'), await text(host, '/d/before')]).toEqual([undefined, undefined, 'old']);
  });

  test('a service may write where the run removed a file, and undo restores that file', async () => {
    const remove = ({ files }: Ports) => files.remove('/d/before');
    const { host, error } = await undone(remove, (changed) => put(changed, '/d/before', 'by the service'));
    expect([error, await text(host, '/d/before')]).toEqual([undefined, 'old']);
  });

  test('a service may replace a link of the run, and undo removes it', async () => {
    const link = ({ files }: Ports) => files.link('/d/current', '/d/before');
    const { host, error } = await undone(link, (changed) =>
      changed.apply({ kind: 'link', path: '/d/current', target: '/d/elsewhere' }, signal),
    );
    expect([error, await host.read({ kind: 'stat', path: '/d/current' }, signal)]).toEqual([undefined, undefined]);
  });

  test('undo refuses if a file that the run itself wrote has changed', async () => {
    const write = ({ files }: Ports) => files.write('/d/conf', 'by the run', 0o600);
    const { host, error } = await undone(write, (changed) => put(changed, '/d/conf', 'by a human'));
    expect(error).toMatchObject({ code: 'E_UNDO_REFUSED', facts: { steps: ['a'] } });
    expect(await text(host, '/d/conf')).toBe('by a human');
  });
});
