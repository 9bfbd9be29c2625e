/** Ansible inventories in YAML form, and the JSON of `ansible-inventory --list`. */
import type { Path, Place } from '../../documents/place.ts';
import { addHost, groupOf, hostNames, type Inventory, type Variables } from './inventory.ts';

/** `value` is the document, and `placeOf` finds a place in it. */
export function readYamlInventory(
  value: object,
  placeOf: (path: Path) => Place,
  report: (path: Path, message: string) => void,
): Inventory {
  const inventory: Inventory = { groups: new Map(), hosts: new Map() };
  const group = (name: string, content: unknown, path: Path): void => {
    const found = groupOf(inventory, name);
    if (content === null) return;
    if (!isMapping(content)) report(path, `the group ${name} must be a mapping`);
    const { hosts = {}, children = {}, vars } = mappingOf(content);
    Object.assign(found.variables, mappingOf(vars));
    for (const [pattern, variables] of entriesOf(hosts))
      for (const host of hostNames(pattern)) {
        addHost(inventory, host, { variables: mappingOf(variables), place: placeOf([...path, 'hosts', pattern]) });
        found.hosts.push(host);
      }
    for (const [child, inner] of entriesOf(children)) {
      found.children.push(child);
      group(child, inner, [...path, 'children', child]);
    }
  };
  const { _meta: meta, ...groups } = value as Record<string, unknown>;
  for (const [name, content] of Object.entries(groups)) group(name, content, [name]);
  for (const [host, variables] of entriesOf(mappingOf(mappingOf(meta).hostvars)))
    if (inventory.hosts.has(host))
      addHost(inventory, host, { variables: mappingOf(variables), place: placeOf(['_meta', 'hostvars', host]) });
  return inventory;
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const mappingOf = (value: unknown): Variables => (isMapping(value) ? value : {});
/** A mapping, or a list of names as in the JSON of Ansible. */
const entriesOf = (value: unknown): [string, unknown][] =>
  Array.isArray(value) ? value.map((name) => [String(name), null]) : Object.entries(mappingOf(value));
