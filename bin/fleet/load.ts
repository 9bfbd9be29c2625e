/** Fleet documents, from a file or from standard input. */
import { loadFleet } from '../../engine/fleet/document.ts';
import type { Fleet } from '../../engine/fleet/fleet.ts';
import { reasonOf } from '../../engine/limits/errno.ts';
import { fail, isJoinError, type Problem } from '../../engine/sdk/index.ts';
import { readText } from '../inputs/read-text.ts';

/** `-` is standard input. E_FLEET_FILE, E_FLEET. */
export async function loadFleetFile(file: string): Promise<Fleet> {
  const name = file === '-' ? '<stdin>' : file;
  let text: string;
  try {
    text = await readText(file);
  } catch (error) {
    throw fail('E_FLEET_FILE', { file: name, what: reasonOf(error) }, error);
  }
  return loadFleet(name, text);
}

/** The fleet, or the problems of the document and of its hosts. E_FLEET_FILE. */
export async function validateFleetFile(file: string): Promise<{ fleet: Fleet | undefined; problems: Problem[] }> {
  try {
    return { fleet: await loadFleetFile(file), problems: [] };
  } catch (error) {
    if (!isJoinError(error) || error.code !== 'E_FLEET') throw error;
    return { fleet: undefined, problems: (error.facts as { problems: Problem[] }).problems };
  }
}
