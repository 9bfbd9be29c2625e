/** The states that processes leave which stop at the points of a run: copies that are made during one run. */
import type { MemoryJoin, Mode } from './memory-join.ts';

export interface Stop {
  point: number;
  where: string;
  left: MemoryJoin;
}
/** The stops of each state that is new, and the number of all points. */
export interface Stops {
  count: number;
  stops: Stop[];
}

/** Carries out `mode` on `machine`. */
export async function stopsOf(machine: MemoryJoin, mode: Mode): Promise<Stops> {
  const found: Omit<Stop, 'point'>[] = [];
  const { count, telling } = await machine.points(
    mode,
    () => machine.shape(),
    (where) => found.push({ where, left: machine.copy() }),
  );
  // A kubelet continues to start after the process that started it has stopped.
  for (const { where, left } of found) if (where === 'amid apply service start kubelet') await left.startKubelet();
  return { count, stops: found.map((stop, index) => ({ ...stop, point: telling[index] ?? 0 })) };
}
