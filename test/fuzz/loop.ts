/** The fuzzed process: it creates and runs inputs, and keeps those that reach new code. */
import { createHash } from 'node:crypto';
import { openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Coverage } from './coverage.ts';
import { inputsIn, isNamed, readInput, writeInput } from './inputs.ts';
import { mutated, Random } from './mutation.ts';
import type { Target } from './target.ts';
import { verdictOn } from './verdict.ts';

export interface Job {
  targets: string[];
  /** Folders with a subfolder for each target. Their inputs run first. */
  corpora: string[];
  /** One input alone, instead of the corpora. */
  only?: string;
  seed: number;
  /** New inputs for each target. A run with `execs` is reproducible, a run with `ms` is not. */
  execs?: number;
  ms?: number;
  /** The folder for inputs that reach new code. */
  keep?: string;
  /** Keep only the inputs of the corpora that are needed to reach the same code. */
  minimise?: true;
  /** The folder for inputs that cause a finding. */
  findings: string;
  /** The file with the running input. The supervisor reads it if this process dies. */
  current: string;
}

export interface Finding {
  target: string;
  what: string;
  /** A file with the input. */
  path: string;
}

export interface Progress {
  target: string;
  execs: number;
  blocks: number;
  kept: number;
  /** The digest of all inputs in their order. */
  digest: string;
}
export type Message =
  | { kind: 'progress'; progress: Progress }
  | { kind: 'done'; progress: Progress }
  | { kind: 'finding'; finding: Finding };

const BATCH = 64;
const PARTS = 8;
const MUTATED_BYTES_MAX = 64 << 10;
const SEED_BYTES_MAX = 2 << 10;
const PROGRESS_MS = 1_000;

class Found extends Error {}

class Campaign {
  readonly #job: Job;
  readonly #name: string;
  readonly #target: Target;
  readonly #coverage: Pick<Coverage, 'take' | 'blocks'>;
  readonly #current: number;
  readonly #digest = createHash('sha256');
  readonly #corpus: Buffer[] = [];
  #execs = 0;

  constructor(job: Job, name: string, target: Target, coverage: Pick<Coverage, 'take' | 'blocks'>) {
    this.#job = job;
    this.#name = name;
    this.#target = target;
    this.#coverage = coverage;
    this.#current = openSync(job.current, 'w+');
  }

  async run(): Promise<void> {
    const { execs = 0, ms = 0, only, minimise = false, seed, keep } = this.#job;
    const known = this.#known();
    this.#coverage.take(true); // loading the code does not count for the first input
    if (minimise) await this.#minimise(known);
    else if (only !== undefined) await this.#execute(readInput(only));
    else
      for (const { bytes } of known) {
        await this.#execute(bytes);
        this.#corpus.push(bytes); // it is kept because it reached new code
      }
    this.#coverage.take(true);

    const random = new Random(seed);
    const endMs = performance.now() + ms;
    const lastExec = this.#execs + execs;
    let reportedMs = performance.now();
    while (this.#execs < lastExec || performance.now() < endMs) {
      const inputs = this.#batch(random);
      const isLast = ms === 0 && keep === undefined && this.#execs + inputs.length >= lastExec;
      if (isLast)
        for (const bytes of inputs) await this.#execute(bytes); // which one reached new code does not matter now
      else await this.#explore(inputs, keep);
      if (performance.now() - reportedMs > PROGRESS_MS) {
        reportedMs = performance.now();
        report({ kind: 'progress', progress: this.#progress() });
        await new Promise((resolve) => setImmediate(resolve)); // lets the message go
      }
    }
    report({ kind: 'done', progress: this.#progress() });
  }

  #progress(): Progress {
    const digest = this.#digest.copy().digest('hex');
    return { target: this.#name, execs: this.#execs, blocks: this.#coverage.blocks, kept: this.#corpus.length, digest };
  }

  #known(): { path: string; bytes: Buffer }[] {
    const folders = this.#job.corpora.map((folder) => join(folder, this.#name));
    return folders.flatMap(inputsIn).map((path) => ({ path, bytes: readInput(path) }));
  }

  /** Half of the inputs come from the shape of the target; half are mutations of the corpus. */
  #batch(random: Random): Buffer[] {
    const { shape, tokens } = this.#target;
    const samples = fc.sample(shape, { seed: random.next() | 0, numRuns: BATCH / 2 });
    const change = (): Buffer => {
      const [one, other] =
        this.#corpus.length === 0 ? samples.slice(0, 2) : [random.pick(this.#corpus), random.pick(this.#corpus)];
      return mutated(one ?? Buffer.alloc(0), random, other ?? Buffer.alloc(0), tokens, MUTATED_BYTES_MAX);
    };
    return [...samples, ...Array.from({ length: BATCH / 2 }, change)];
  }

  /**
   * Runs all inputs. If they reached new code, runs them again in parts to find the input that did, because reading
   * the coverage is slow.
   */
  async #explore(inputs: readonly Buffer[], keep?: string): Promise<void> {
    for (const bytes of inputs) await this.#execute(bytes);
    if (this.#coverage.take(inputs.length === 1) === 0) return;
    if (inputs.length > 1) {
      const size = Math.ceil(inputs.length / PARTS);
      for (let at = 0; at < inputs.length; at += size) await this.#explore(inputs.slice(at, at + size), keep);
      return;
    }
    const [bytes = Buffer.alloc(0)] = inputs;
    this.#corpus.push(bytes);
    if (keep !== undefined) writeInput(join(keep, this.#name), bytes);
  }

  async #execute(bytes: Buffer): Promise<void> {
    this.#execs++;
    this.#digest.update(bytes);
    const header = Buffer.alloc(8);
    header.writeUInt32LE(this.#execs, 0);
    header.writeUInt32LE(bytes.length, 4);
    writeSync(this.#current, Buffer.concat([header, bytes]), 0, undefined, 0);
    const wrong = await verdictOn(this.#target, bytes);
    if (wrong === undefined) return;
    const path = writeInput(join(this.#job.findings, this.#name), bytes);
    report({ kind: 'finding', finding: { target: this.#name, what: wrong, path } });
    throw new Found();
  }

  /** Keeps the named inputs, and then the smallest inputs first. */
  async #minimise(known: readonly { path: string; bytes: Buffer }[]): Promise<void> {
    const [home = ''] = this.#job.corpora;
    const order = known.toSorted(
      (a, b) => Number(isNamed(b.path)) - Number(isNamed(a.path)) || a.bytes.length - b.bytes.length,
    );
    for (const { path, bytes } of order) {
      if (!isNamed(path)) rmSync(path);
      if (!isNamed(path) && bytes.length > SEED_BYTES_MAX) continue;
      await this.#execute(bytes);
      if (this.#coverage.take(true) === 0) continue;
      this.#corpus.push(bytes);
      if (!isNamed(path)) writeInput(join(home, this.#name), bytes);
    }
  }
}

const report = (message: Message): void => void process.send?.(message);

/** Whether coverage decides on further inputs. Without it, code runs twice as fast, and the inputs are the same. */
const isGuided = ({ keep, minimise, execs = 0, ms = 0 }: Job): boolean =>
  keep !== undefined || minimise === true || ms > 0 || execs > BATCH;

/** Loads only the modules that the target needs. */
async function targetOf(name: string): Promise<Target> {
  const { planted } = await import('./planted.ts');
  const target = planted[name] ?? (await import('./targets.ts')).targets[name];
  if (target === undefined) throw new Error(`there is no target ${name}`);
  return target;
}

async function main(job: Job): Promise<void> {
  process.once('disconnect', () => process.exit()); // a server of a target may still listen
  process.channel?.unref(); // the channel alone must not keep the process alive
  for (const name of job.targets) {
    const coverage = isGuided(job) ? new Coverage('loop.cjs') : undefined;
    try {
      await new Campaign(job, name, await targetOf(name), coverage ?? { blocks: 0, take: () => 0 }).run();
    } catch (error) {
      if (!(error instanceof Found)) throw error;
    } finally {
      coverage?.close();
    }
  }
  process.disconnect();
}

const [argument] = process.argv.slice(2);
if (argument !== undefined) void main(JSON.parse(argument) as Job);
