/** An action on a service. If the run started the service, an undo also removes what the service has written since. */
import { fail } from '../../sdk/errors.ts';
import type { ServiceAction, ServiceStatus } from '../../sdk/ports.ts';
import type { ChangeKind, UndoContext } from './kind.ts';
import type { RemoveTreeChange } from './remove-tree.ts';
import { existingPaths } from './service-data.ts';

export interface ServiceChange {
  kind: 'service';
  name: string;
  action: ServiceAction;
}

export interface ServiceBefore {
  kind: 'service';
  active: boolean;
  /** Patterns of the paths that the service writes by itself. */
  data: readonly string[];
  /** The matching paths that existed before the service was started. */
  kept: readonly string[];
}

type Item = { change: ServiceChange; before: ServiceBefore };

export const service: ChangeKind<ServiceChange, ServiceChange, ServiceBefore> = {
  subject: ({ name }) => `service ${name}`,
  text: ({ name, action }) =>
    action === 'reload-service' ? `have service ${name} reload its configuration` : `${action} service ${name}`,
  check({ name, action }, permissions) {
    const isDeclared = permissions
      .effects('service')
      .some((effect) => permissions.fill(effect.name) === name && effect.actions.includes(action));
    const isWithin = permissions.isWithin(({ services }) => services.includes(name));
    permissions.require(isDeclared && isWithin, `${action} service ${name}`);
  },
  async describe(change, read) {
    return isDone(change.action, await read({ kind: 'service', name: change.name })) ? undefined : change;
  },
  async snapshot({ name, action }, { read, serviceData }) {
    const { active } = await read({ kind: 'service', name });
    const isStart = action === 'start' || action === 'restart';
    const data = isStart ? serviceData(name) : [];
    return { before: { kind: 'service', active, data, kept: await existingPaths(data, read) } };
  },
  apply: ({ name, action }, { services }, signal) => services.control(name, action, signal),
  overlay: ({ name, action }, overlay) => overlay.setService(name, AFTER[action]),
  async undo(item, context: UndoContext<ServiceChange | RemoveTreeChange>) {
    await undoService(item, context);
    return { outcome: 'restored' };
  },
  /** A service starts again after its files are restored and its manager has read the restored unit. */
  undoRank({ change: { action }, before }) {
    if (action === 'reload') return 1;
    const wasActive = before.kind === 'service' && before.active;
    return action === 'stop' || action === 'reload-service' || (action === 'restart' && wasActive) ? 2 : 0;
  },
};

/** The state of a service after each action. */
const AFTER: Record<ServiceAction, Partial<ServiceStatus>> = {
  start: { active: true, failed: false },
  restart: { active: true, failed: false },
  stop: { active: false, failed: false },
  enable: { enabled: true },
  disable: { enabled: false },
  mask: { masked: true },
  unmask: { masked: false },
  reload: {},
  'reload-service': {},
};

/** Whether an action would change nothing. A unit that cannot be enabled counts as enabled. */
function isDone(action: ServiceAction, { active, enabled, masked = false }: ServiceStatus): boolean {
  switch (action) {
    case 'start':
      return active;
    case 'stop':
      return !active;
    case 'enable':
      return enabled;
    case 'disable':
      return !enabled;
    case 'mask':
      return masked;
    case 'unmask':
      return !masked;
    default:
      return false;
  }
}

const OPPOSITE: Partial<Record<ServiceAction, ServiceAction>> = {
  enable: 'disable',
  disable: 'enable',
  mask: 'unmask',
  unmask: 'mask',
  reload: 'reload',
};

/** The action that undoes another one on a service; undefined if there is nothing to undo. */
export function oppositeAction(action: ServiceAction, { active }: { active: boolean }): ServiceAction | undefined {
  if (action === 'reload-service') return active ? 'reload-service' : undefined;
  if (action === 'restart' && active) return 'restart';
  return OPPOSITE[action] ?? (active ? 'start' : 'stop');
}

async function undoService(
  { change: { name, action }, before }: Item,
  { read, apply, changedPaths, ranBefore }: UndoContext<ServiceChange | RemoveTreeChange>,
): Promise<void> {
  // The run started the service and stopped it again. Undoing the start stops it permanently.
  if (action === 'stop' && !ranBefore(name)) return;
  const opposite = oppositeAction(action, before);
  if (opposite === undefined) return;
  // A service that keeps failing may be inactive right now. It is stopped nevertheless.
  await apply({ kind: 'service', name, action: opposite });
  if (opposite !== 'stop') return;
  for (const path of await existingPaths(before.data, read)) {
    if (before.kept.includes(path) || changedPaths.has(path)) continue;
    const [mount] = await read({ kind: 'mounts', path });
    if (mount !== undefined) throw fail('E_FILE', { path, what: `${mount} is still mounted` });
    await apply({ kind: 'remove-tree', path });
  }
}
