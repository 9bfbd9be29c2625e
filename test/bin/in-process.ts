/** Runs the built command in this process, because a process of its own takes several times the processor time. */
import { readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}
type Main = (root: string, argv: readonly string[], importer: (url: string) => Promise<unknown>) => Promise<void>;

const project = fileURLToPath(new URL('../..', import.meta.url));

/** Loads the bundle as the launcher does. */
function builtMain(): Main {
  const bundle = join(project, 'dist/join.cjs');
  const source = Module.wrap(readFileSync(bundle, 'latin1'));
  const script = new vm.Script(source, { filename: bundle, cachedData: readFileSync(`${bundle}.cache`) });
  const loaded = new Module(bundle);
  script.runInThisContext()(loaded.exports, createRequire(bundle), loaded, bundle, dirname(bundle));
  return loaded.exports.main;
}

let main: Main | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Commands run one after the other, because exit code, standard output and environment belong to the process. */
export function runHere(args: readonly string[], variables: Record<string, string> = {}): Promise<Outcome> {
  const outcome = last.then(() => run(args, variables));
  last = outcome.catch(() => undefined);
  return outcome;
}

async function run(args: readonly string[], variables: Record<string, string>): Promise<Outcome> {
  main ??= builtMain();
  const restore = borrowProcess(variables);
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    restore.push(
      replace(process[name], 'write', ((text: string, encodingOrDone?: unknown, done = encodingOrDone) => {
        written[name] += text;
        if (typeof done === 'function') done();
        return true;
      }) as typeof process.stdout.write),
    );
  // oclif prints through console.log, which vitest intercepts.
  restore.push(replace(console, 'log', (text = '') => void process.stdout.write(`${text}\n`)));
  try {
    await main(project, [...args], (url) => import(url));
    return { code: Number(process.exitCode ?? 0), ...written };
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

/** Replaces what a command changes in its process; the returned functions restore it. */
function borrowProcess(variables: Record<string, string>): (() => void)[] {
  const environment = { ...process.env };
  const known = new Set(allListeners().map(([, listener]) => listener));
  Object.assign(process.env, variables, { NODE_ENV: 'production' });
  process.exitCode = undefined;
  return [
    replace(process, 'exit', (() => undefined) as never),
    () => {
      process.exitCode = undefined;
      for (const [name, listener] of allListeners()) if (!known.has(listener)) process.removeListener(name, listener);
      for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
      Object.assign(process.env, environment);
    },
  ];
}

type Listener = (...parameters: unknown[]) => void;

const allListeners = (): [string, Listener][] =>
  process
    .eventNames()
    .flatMap((name) =>
      process.rawListeners(name as 'exit').map((listener): [string, Listener] => [String(name), listener as Listener]),
    );

function replace<T extends object, K extends keyof T>(owner: T, name: K, value: T[K]): () => void {
  const original = owner[name];
  owner[name] = value;
  return () => {
    owner[name] = original;
  };
}
