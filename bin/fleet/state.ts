/** Where the operator keeps its fleets: a folder for each, of the user alone. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fail } from '../../engine/sdk/index.ts';

/** As the XDG specification says: a relative path in the variable does not count. */
export function fleetsFolder(): string {
  const { XDG_STATE_HOME: state = '' } = process.env;
  return join(isAbsolute(state) ? state : join(homedir(), '.local/state'), 'joinery/fleet');
}

export const folderOf = (fleet: string): string => join(fleetsFolder(), fleet);

/** The fleet of this name, or the only one. E_FLEET_UNKNOWN. */
export function knownFleet(name: string | undefined): string {
  const known = knownFleets();
  const [only, ...others] = known;
  if (name === undefined && only !== undefined && others.length === 0) return only;
  if (name !== undefined && known.includes(name)) return name;
  throw fail('E_FLEET_UNKNOWN', { name, known });
}

function knownFleets(): string[] {
  try {
    return readdirSync(fleetsFolder()).sort();
  } catch {
    return []; // no fleet has been rolled out here
  }
}
