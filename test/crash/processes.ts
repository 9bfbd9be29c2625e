import { readdirSync, readFileSync } from 'node:fs';

/** Those whose command line names a path below `folder`. */
export function processesOf(folder: string): { pid: number; words: string }[] {
  const found: { pid: number; words: string }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (`${words} `.includes(`${folder}/`) || words.includes(`${folder} `)) found.push({ pid: Number(name), words });
    } catch {} // it has ended
  }
  return found;
}

export async function endProcessesOf(folder: string): Promise<void> {
  for (const { pid } of processesOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {} // it has ended
  }
}
