/** Whole commands beside a sandbox cluster in this process: start-up, one join, and many joins at once. */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { openPlayground } from '../../bin/commands/sandbox/machine.ts';
import pjson from '../../package.json' with { type: 'json' };
import { PROJECT } from '../helpers/sources.ts';
import { type Measured, measure } from './measure.ts';

const launcher = join(PROJECT, 'bin/join.cjs');
const executable = join(PROJECT, `dist/release/joinery-${pjson.version}-linux-${process.arch}`);

/** The words that start each build of this command that exists here. */
export const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'Node and the bundle': [process.execPath, launcher],
  ...(existsSync(executable) ? { 'the executable': [executable] } : {}),
};

export const startUp = (words: readonly string[]): Record<string, () => Promise<Measured>> => ({
  '--version': () => measure([...words, '--version']),
  'run --help': () => measure([...words, 'run', '--help']),
  'pipeline validate': () => measure([...words, 'pipeline', 'validate']),
});

export type Joined = Measured & {
  /** From the start of the command until the client certificate is on disk. */
  identityMs: number;
};

/** One join of a new machine. */
export async function joined(words: readonly string[]): Promise<Joined> {
  const playground = await openPlayground([process.execPath, launcher]);
  try {
    const began = Date.now();
    const measured = await measure([...words, 'run', ...playground.joinArguments]);
    const { mtimeMs } = lstatSync(join(playground.root, 'var/lib/kubelet/pki/kubelet-client-current.pem'));
    return { ...measured, identityMs: mtimeMs - began };
  } finally {
    await playground.close();
  }
}

/** How many of `count` joins, all started at once, succeed, and how long they take together. */
export async function joinedAtOnce(
  words: readonly string[],
  count: number,
): Promise<{ joined: number; wallMs: number }> {
  const playgrounds = await Promise.all(
    Array.from({ length: count }, () => openPlayground([process.execPath, launcher])),
  );
  try {
    const began = performance.now();
    const runs = playgrounds.map(({ joinArguments }) => measure([...words, 'run', ...joinArguments]));
    const settled = await Promise.allSettled(runs);
    const succeeded = settled.filter(({ status }) => status === 'fulfilled').length;
    return { joined: succeeded, wallMs: performance.now() - began };
  } finally {
    await Promise.all(playgrounds.map((playground) => playground.close()));
  }
}
