/** An Ansible inventory: groups of hosts with variables, and the hosts of a fleet that it describes. */
import type { Place } from '../../documents/place.ts';
import { defined } from '../../sdk/fields.ts';
import type { HostShape, PlacedHost } from '../host-shape.ts';

export type Variables = Record<string, unknown>;

export interface Group {
  hosts: string[];
  children: string[];
  variables: Variables;
}

export interface InventoryHost {
  variables: Variables;
  place: Place;
}

export interface Inventory {
  groups: Map<string, Group>;
  /** In the order of the file. */
  hosts: Map<string, InventoryHost>;
}

export const emptyGroup = (): Group => ({ hosts: [], children: [], variables: {} });

export function groupOf({ groups }: Inventory, name: string): Group {
  const group = groups.get(name) ?? emptyGroup();
  groups.set(name, group);
  return group;
}

export function addHost({ hosts }: Inventory, name: string, { variables, place }: InventoryHost): void {
  const known = hosts.get(name);
  hosts.set(name, { variables: { ...known?.variables, ...variables }, place: known?.place ?? place });
}

/** How deep groups can be nested. A group that contains itself is as deep. */
const DEPTH_MAX = 50;
/** The most hosts of one range. */
const RANGE_MAX = 5_000;

/** `w[01:03]` → w01, w02, w03; `w[a:c]` → wa, wb, wc. Other names stay as they are. */
export function hostNames(pattern: string): string[] {
  const [, before = '', first = '', last = '', after = ''] =
    /^(.*?)\[(\d{1,9}|[a-z]):(\d{1,9}|[a-z])\](.*)$/.exec(pattern) ?? [];
  if (first === '') return [pattern];
  const isNumber = /\d/.test(first);
  const [from, to] = isNumber ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)];
  const count = Math.min(to - from + 1, RANGE_MAX + 1);
  return Array.from({ length: Math.max(0, count) }, (_, index) => from + index)
    .map((at) => (isNumber ? String(at).padStart(first.length, '0') : String.fromCharCode(at)))
    .flatMap((text) => hostNames(`${before}${text}${after}`))
    .slice(0, RANGE_MAX + 1);
}

/** Which groups of the inventory join, and as what. */
export interface Selection {
  workers?: string;
  controlPlanes?: string;
}

export interface Selected {
  hosts: PlacedHost[];
  /** Groups of the selection that the inventory does not have. */
  unknown: (keyof Selection)[];
}

export function hostsOf(inventory: Inventory, { workers, controlPlanes }: Selection): Selected {
  const unknown = [
    ...(workers !== undefined && !inventory.groups.has(workers) ? (['workers'] as const) : []),
    ...(controlPlanes !== undefined && !inventory.groups.has(controlPlanes) ? (['controlPlanes'] as const) : []),
  ];
  const leaders = membersOf(inventory, controlPlanes);
  const members = workers === undefined ? new Set(inventory.hosts.keys()) : membersOf(inventory, workers);
  const layers = variableLayers(inventory);
  const hosts = [...inventory.hosts].flatMap(([name, { variables, place }]): PlacedHost[] => {
    if (!members.has(name) && !leaders.has(name)) return [];
    const known = Object.assign({}, ...layers.map((layer) => layer(name)), variables);
    const role = leaders.has(name) ? 'control-plane' : 'worker';
    return [{ host: shapeOf(name, role, known), placeOf: () => place }];
  });
  return { hosts, unknown };
}

/** The hosts of a group and of all groups in it. */
function membersOf({ groups }: Inventory, name: string | undefined, depth = 0): Set<string> {
  const group = name === undefined || depth > DEPTH_MAX ? undefined : groups.get(name);
  if (group === undefined) return new Set();
  const inner = group.children.flatMap((child) => [...membersOf({ groups, hosts: new Map() }, child, depth + 1)]);
  return new Set([...group.hosts, ...inner]);
}

/** The variables that each group gives a host, outer groups first, because inner groups win. */
function variableLayers(inventory: Inventory): ((host: string) => Variables)[] {
  const depths = new Map<string, number>();
  const visit = (name: string, depth: number): void => {
    if (depth > DEPTH_MAX || (depths.get(name) ?? -1) >= depth) return;
    depths.set(name, depth);
    for (const child of inventory.groups.get(name)?.children ?? []) visit(child, depth + 1);
  };
  for (const name of inventory.groups.keys()) visit(name, name === 'all' ? 0 : 1);
  return [...inventory.groups]
    .sort(([a], [b]) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0) || (a < b ? -1 : 1))
    .filter(([, { variables }]) => Object.keys(variables).length > 0)
    .map(([name, { variables }]) => {
      const members = name === 'all' ? new Set(inventory.hosts.keys()) : membersOf(inventory, name);
      return (host) => (members.has(host) ? variables : {});
    });
}

/** Variables that begin with this are inputs of the pipeline: `joinery_node_name` is `nodeName`. */
const INPUT_PREFIX = 'joinery_';

function shapeOf(name: string, role: HostShape['role'], known: Variables): HostShape {
  const first = (...names: string[]): unknown => names.map((each) => known[each]).find((value) => value !== undefined);
  const become = first('ansible_become');
  const port = first('ansible_port', 'ansible_ssh_port');
  const transport = defined({
    user: first('ansible_user', 'ansible_ssh_user'),
    port: typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port,
    identityFile: first('ansible_ssh_private_key_file', 'ansible_private_key_file'),
    sudo: typeof become === 'string' ? /^(true|yes|on|1)$/i.test(become) : become,
  });
  const inputs = Object.entries(known).filter(([key]) => key.startsWith(INPUT_PREFIX));
  // The schema of a host checks the types of all values.
  return {
    name,
    address: first('ansible_host', 'ansible_ssh_host') ?? name,
    transport,
    role,
    labels: {},
    environments: [],
    variables: Object.fromEntries(inputs.map(([key, value]) => [inputName(key), textOf(value)])),
  } as unknown as HostShape;
}

const inputName = (key: string): string =>
  key.slice(INPUT_PREFIX.length).replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const textOf = (value: unknown): unknown =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
