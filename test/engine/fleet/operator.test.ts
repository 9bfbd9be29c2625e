/** An operator with a real Restate server, and machines that are only simulated. */
import { statSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Fleet } from '../../../engine/fleet/fleet.ts';
import type { Operator } from '../../../engine/fleet/operator.ts';
import { operatorAct, operatorStatus } from '../../../engine/fleet/operator-socket.ts';
import { ask } from '../../../engine/fleet/restate/client.ts';
import { readStatus } from '../../../engine/fleet/status-file.ts';
import { atEnd } from '../../helpers/endings.ts';
import { FakeMachines, type FakeOptions } from '../../helpers/fake-fleet/machines.ts';
import { fakeFleet, fakeHost, fleetFolder, startOperator } from '../../helpers/fake-fleet/operator.ts';

const workers = (count: number) => Array.from({ length: count }, (_, number) => fakeHost(`w${number + 1}`));

async function scene(fleet: Fleet, options: FakeOptions = {}) {
  const machines = new FakeMachines({ joinMs: 10, ...options });
  const url = await machines.listen();
  atEnd(() => machines.close());
  const { folder, remove } = fleetFolder();
  atEnd(remove);
  const state = join(folder, 'rack-7');
  const operator = await startOperator(state, fleet, url);
  atEnd(() => operator.close());
  return { machines, operator, folder: state, url };
}
const states = (operator: Operator) => operator.board.status().hosts.map(({ name, state }) => `${name} ${state}`);

async function until(condition: () => boolean, operator: Operator): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve) => {
    const stop = operator.board.onChange(() => {
      if (!condition()) return;
      stop();
      resolve();
    });
  });
}

describe('an operator', () => {
  test('joins each machine once, control planes alone, and undoes a wave of the ended rollout', async () => {
    const hosts = [...workers(5), fakeHost('cp1', 'control-plane'), fakeHost('cp2', 'control-plane')];
    const { machines, operator, folder } = await scene(fakeFleet(hosts, { waves: [{ hosts: 2 }, 'rest'] }));
    const begun = await operator.begin(fakeFleet(hosts, { waves: [{ hosts: 2 }, 'rest'] }));
    const status = await operator.finished(begun);
    expect(status).toMatchObject({ state: 'succeeded', rollout: begun.rollout });
    expect(status.hosts.every(({ state, run }) => state === 'joined' && run !== undefined)).toBe(true);
    expect({ violations: machines.violations, tokens: machines.tokens.size }).toEqual({ violations: [], tokens: 0 });
    expect(readStatus(folder)).toEqual(status);
    expect(operator.board.eventsOf('w1')).toHaveLength(1);

    const undone = await operator.finished(await operator.undo(1));
    expect(undone.waves.map(({ state }) => state)).toEqual(['undone', 'succeeded']);
    const rolledBack = [...machines.machines].filter(([, machine]) => machine.undone > 0).map(([name]) => name);
    expect(rolledBack.sort()).toEqual(['w1', 'w2']);
    await expect(operator.undo(9)).rejects.toMatchObject({ code: 'E_FLEET_ACTION' });
  });

  test('a rollout that paused is continued by the actions of other processes', async () => {
    const fleet = fakeFleet(workers(4), { waves: ['rest'], maxParallel: 1 });
    const { operator, folder, machines } = await scene(fleet, { dead: ['w2'], failing: { w1: 'once' } });
    const begun = await operator.begin(fleet);
    await until(() => operator.board.isKnown && operator.board.status().state === 'paused', operator);
    expect(states(operator)).toEqual(['w1 failed', 'w2 waiting', 'w3 waiting', 'w4 waiting']);
    await expect(operatorAct(folder, { action: 'retry', host: 'w3' })).rejects.toMatchObject({
      code: 'E_FLEET_ACTION',
      message: 'cannot retry: host w3 is waiting',
    });
    await operatorAct(folder, { action: 'retry', host: 'w1' });
    await operatorAct(folder, { action: 'skip', host: 'w2' });
    await operatorAct(folder, { action: 'resume' });
    const { state, hosts } = await operator.finished(begun);
    expect({ state, hosts: hosts.map((host) => `${host.state} ${host.attempts}`) }).toEqual({
      state: 'succeeded',
      hosts: ['joined 2', 'skipped 0', 'joined 1', 'joined 1'],
    });
    expect(machines.violations).toEqual([]);
    expect(machines.revoked).toHaveLength(4);
  });

  test('a machine that is a Node already is left alone', async () => {
    const fleet = fakeFleet(workers(2));
    const { operator, machines } = await scene(fleet);
    machines.machine('w2').state = 'joined';
    const { hosts } = await operator.finished(await operator.begin(fleet));
    expect(hosts.map(({ state }) => state)).toEqual(['joined', 'unchanged']);
    expect(machines.machine('w2').starts).toBe(0);
  });

  test('a fleet has one operator at a time, and the next one continues an unfinished rollout', async () => {
    const fleet = fakeFleet(workers(3), { waves: ['rest'], maxParallel: 1 });
    const { operator, folder, url, machines } = await scene(fleet, { failing: { w1: 'always' } });
    const { rollout } = await operator.begin(fleet);
    await until(() => operator.board.isKnown && operator.board.status().state === 'paused', operator);
    await expect(startOperator(folder, fleet, url)).rejects.toMatchObject({ code: 'E_FLEET_RUNNING' });
    await operator.close();
    expect(await operatorStatus(folder)).toBeUndefined();

    const next = await startOperator(folder, fleet, url);
    atEnd(() => next.close());
    expect(await next.begin(fleet)).toEqual({ rollout, isNew: false });
    await until(() => next.board.isKnown && next.board.status().state === 'paused', next);
    await next.board.act({ action: 'cancel' });
    expect(await next.finished({ rollout, isNew: false })).toMatchObject({ state: 'cancelled' });
    expect(machines.machine('w1').starts).toBe(1);
  });

  test('its folder is closed to other users, and it refuses requests that the server has not signed', async () => {
    const { folder } = await scene(fakeFleet(workers(1)));
    expect(statSync(folder).mode & 0o077).toBe(0); // so what is in it cannot be reached, either
    const admin = { socketPath: join(folder, 'restate/fleet/admin.sock') };
    const { deployments } = (await ask(admin, 'GET', '/deployments')) as { deployments: { uri: string }[] };
    const session = connect(deployments[0]?.uri ?? '');
    const request = session.request({ ':path': '/invoke/joinery-control/act', ':method': 'POST' });
    const status = await new Promise((resolve) => request.once('response', (headers) => resolve(headers[':status'])));
    session.destroy();
    expect(status).toBe(401);
  });
});
