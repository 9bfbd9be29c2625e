/** A sandbox cluster and scratch machines on which runs are killed, and what must hold of them afterwards. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { DEFAULT_PIPELINE } from '../../bin/pipelines.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import type { RunStatus } from '../../engine/journal/history.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { type CsrObject, type NodeObject, nodeUser } from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { type Sandbox, startSandbox } from '../../plugins/sandbox/index.ts';
import { makeMachine } from '../../plugins/sandbox/machine/machine.ts';
import type { KubeObject } from '../../plugins/sandbox/objects.ts';
import { differences, digest, type Snapshot, snapshot } from '../helpers/snapshot.ts';
import { PROJECT } from '../helpers/sources.ts';
import { ask, NODES } from '../plugins/sandbox/client.ts';
import type { Ended, Mode, Order } from './child.ts';
import { endProcessesOf, processesOf } from './processes.ts';
import type { Programs } from './programs.ts';

const run = promisify(execFile);
export const NODE = 'w1';
const PKI = 'var/lib/kubelet/pki';
const PEM = /kubelet-client-(\d{4}(?:-\d\d){5})\.pem/g;
const RUN_ID = /\d{8}-\d{6}-[0-9a-f]{4}/g;
const MADE_BY_RUNS = ['certificatesigningrequests', 'nodes'];
/** Files that each run creates again. */
const RANDOM = /^\/(var\/lib\/joinery|run\/joinery)\/|kubelet-client-\d/;

/** A machine on which a run, a resume or an undo was killed. */
export interface Killed {
  root: string;
  /** At which point. */
  where: string;
}
/** The objects of the cluster that runs make. */
export type Objects = [resource: string, object: KubeObject][];

/** `child.ts` */
interface Child {
  stdin: Writable;
  answers: AsyncIterator<string>;
  ended: Promise<NodeJS.Signals | null>;
}

export class Stage {
  readonly sandbox: Sandbox;
  readonly #folder: string;
  readonly #programs: Programs;
  /** The machine as it is before anything is done. */
  readonly #empty: string;
  readonly before: Snapshot;
  #made = 0;
  #survivor: Child | undefined;
  /** Loads ahead. */
  #victim: Child | undefined;
  /** What an undisturbed run makes of it. */
  #after: Snapshot | undefined;

  protected constructor(sandbox: Sandbox, folder: string, programs: Programs, empty: string) {
    this.sandbox = sandbox;
    this.#folder = folder;
    this.#programs = programs;
    this.#empty = empty;
    this.before = snapshot(empty, isNobodys);
  }

  static async open(folder: string, programs: Programs, furnish: (root: string) => Promise<void>): Promise<Stage> {
    const empty = join(folder, 'empty');
    await mkdir(empty, { recursive: true });
    await makeMachine(empty, { hostName: NODE, kubelet: [process.execPath, programs.kubelet] });
    await furnish(empty);
    return new Stage(await startSandbox(), folder, programs, empty);
  }

  /** A machine of its own; `from` is left as it is. */
  async machine(from: string = this.#empty): Promise<string> {
    const root = join(this.#folder, String(++this.#made));
    await run('cp', ['-a', from, root]);
    return root;
  }

  get objects(): Objects {
    const { store } = this.sandbox;
    return MADE_BY_RUNS.flatMap((resource) =>
      store.list(resource).map((object): Objects[number] => [resource, object]),
    );
  }
  set objects(wanted: Objects) {
    const { store } = this.sandbox;
    for (const [resource, object] of this.objects) store.delete(resource, object.metadata.name ?? '');
    for (const [resource, object] of wanted) store.commit({ type: 'ADDED', resource, object });
  }

  /** Runs in a process that stays alive: the process that resumes a killed run need not be new. */
  async act(mode: Mode, root: string): Promise<Ended> {
    this.#survivor ??= this.#child();
    const { stdin, answers } = this.#survivor;
    stdin.write(this.#order(mode, root, 0));
    const { value } = await answers.next();
    if (value === undefined) throw new Error(`${mode} ended its process`);
    return JSON.parse(value) as Ended;
  }

  /** By a process of its own. Undefined if it ended before that point. */
  async kill(mode: Mode, root: string, killAt: number): Promise<Killed | undefined> {
    const child = this.#victim ?? this.#child();
    this.#victim = undefined;
    child.stdin.end(this.#order(mode, root, killAt));
    const { value = '' } = await child.answers.next();
    const signal = await child.ended;
    this.#victim = this.#child(); // the next one begins to load meanwhile
    return signal === 'SIGKILL' ? { root, where: value } : undefined;
  }

  #order(mode: Mode, root: string, killAt: number): string {
    const { pipeline, inputs } = this;
    return `${JSON.stringify({ mode, project: PROJECT, root, pipeline, inputs, killAt } satisfies Order)}\n`;
  }

  protected readonly pipeline: string = DEFAULT_PIPELINE;

  protected get inputs(): Record<string, unknown> {
    const { endpoint, token, caPin } = this.sandbox;
    return { endpoint, token, discoveryTokenCaCertHash: [caPin], ignorePreflightErrors: ['all'] };
  }

  /** A description of a file that differs in no two joins. */
  protected contentOf(path: string, bytes: Buffer, root: string): string {
    return path.match(PEM) ? identityIn(bytes) : digestOf(bytes, root);
  }

  #child(): Child {
    const child = spawn(process.execPath, [this.#programs.child], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
    return { stdin: child.stdin, answers: createInterface({ input: child.stdout })[Symbol.asyncIterator](), ended };
  }

  /** By the command itself. */
  async type(words: string[], root: string): Promise<Omit<Ended, 'points'>> {
    const launcher = join(PROJECT, 'bin/join.cjs');
    const output = await run(process.execPath, [launcher, ...words, '--root', root]).catch(
      ({ stderr }: { stderr: string }) => stderr,
    );
    if (typeof output !== 'string') return { status: 'succeeded' };
    return { status: 'failed', code: /^(E_\w+)/m.exec(output)?.[1] ?? 'E_BUG', message: output };
  }

  async startKubelet(root: string): Promise<void> {
    await rm(join(root, 'run/kubelet.pid'), { force: true });
    await run(join(root, 'usr/bin/systemctl'), ['start', 'kubelet']);
  }

  hasProcesses(root: string): boolean {
    return processesOf(root).length > 0;
  }

  /** The state of machine and cluster, without what chance and time have put in it. */
  shapeOf(root: string): string {
    const omit = (path: string) => isNobodys(path) || path === LOCK;
    const tree = snapshot(root, omit, (path, bytes) => {
      if (path.endsWith('journal.jsonl')) return recordsIn(bytes);
      return RANDOM.test(path) ? `${bytes.length >> 6}` : digestOf(bytes, root);
    });
    const cluster = this.objects.map(([resource, { status }]) => {
      const { certificate, conditions = [] } = (status ?? {}) as { certificate?: string; conditions?: object[] };
      const kinds = conditions.map((condition) => Object.entries(condition).slice(0, 2));
      return [resource, certificate !== undefined, kinds];
    });
    return JSON.stringify([tree, cluster, this.hasProcesses(root)])
      .replaceAll(PEM, 'PEM')
      .replaceAll(RUN_ID, 'RUN');
  }

  /** The problems after a run that should have finished. */
  async problemsOfRun(root: string): Promise<string[]> {
    const found = this.#joined(root);
    this.#after ??= found; // the first one of a stage is undisturbed
    const problems = [...differences(this.#after, found), ...leftovers(root)];
    const names = existsSync(join(root, PKI)) ? readdirSync(join(root, PKI)) : [];
    const pems = names.filter((name) => name.match(PEM));
    if (pems.length !== 1) problems.push(`there are ${pems.length} client certificates: ${pems.join(' ')}`);
    const pem = pems[0] === undefined ? '' : readFileSync(join(root, PKI, pems[0]), 'utf8');
    const answer = await ask(this.sandbox, `${NODES}/${NODE}`, { identity: { cert: pem, key: pem } }).catch(String);
    if (typeof answer === 'string') problems.push(`the identity on the disk is none: ${answer}`);
    else if (answer.code !== 200) problems.push(`the identity on the disk gets ${answer.code} ${answer.text}`);
    const csrs = this.sandbox.store.list<CsrObject & KubeObject>('certificatesigningrequests');
    const issued = csrs.map(({ status }) => Buffer.from(status?.certificate ?? '', 'base64').toString());
    if (csrs.length !== 1) problems.push(`there are ${csrs.length} CSRs`);
    else if (!pem.startsWith(issued[0]?.trim() ?? '-')) problems.push('the certificate is not that of the CSR');
    const nodes = this.sandbox.store.list<NodeObject & KubeObject>('nodes').map(({ metadata }) => metadata.name);
    if (nodes.join() !== NODE) problems.push(`the Nodes are ${nodes.join()}`);
    if (processesOf(root).length === 0) problems.push('no kubelet runs');
    return [...problems, ...(await this.#notTheOnlyRun(root, 'succeeded'))];
  }

  /** What is wrong after an undo. `undone`: a run is remembered; else there must be none. */
  async problemsOfUndo(root: string, isRemembered: boolean): Promise<string[]> {
    const problems = [...differences(this.before, this.#tree(root)), ...leftovers(root)];
    for (const { pid, words } of processesOf(root)) problems.push(`process ${pid} is left: ${words}`);
    const images = snapshot(join(root, 'var/lib'), (path) => path !== '/' && !path.startsWith('/joinery'));
    for (const path of Object.keys(images)) if (path.endsWith('.before')) problems.push(`${path} is left`);
    return [...problems, ...(await this.#notTheOnlyRun(root, isRemembered ? 'undone' : undefined))];
  }

  async statesOfRuns(root: string): Promise<RunStatus[]> {
    const runs = new Runs(new MachineFiles(root));
    const histories = await Promise.all((await runs.ids()).map((id) => runs.history(id)));
    return histories.map(({ status }) => status);
  }

  async #notTheOnlyRun(root: string, wanted: RunStatus | undefined): Promise<string[]> {
    const states = await this.statesOfRuns(root);
    return states.join() === (wanted ?? '') ? [] : [`the runs are [${states.join()}], and not [${wanted ?? ''}]`];
  }

  async end(root: string): Promise<void> {
    await endProcessesOf(root);
  }

  /** Ends what runs on it, and removes it. */
  async clear(root: string): Promise<void> {
    await endProcessesOf(root);
    await rm(root, { recursive: true, force: true });
  }

  /** Ends the processes that wait for what there is to do. */
  async rest(): Promise<void> {
    for (const child of [this.#survivor, this.#victim]) {
      child?.stdin.end();
      await child?.ended;
    }
    this.#survivor = this.#victim = undefined;
  }

  async close(): Promise<void> {
    await this.rest();
    await endProcessesOf(this.#folder);
    await this.sandbox.close();
  }

  #tree(root: string): Snapshot {
    return snapshot(root, (path) => isNobodys(path) || path === '/var/lib/joinery');
  }

  #joined(root: string): Snapshot {
    const omit = (path: string) => isNobodys(path) || path === '/var/lib/joinery';
    const found = snapshot(root, omit, (path, bytes) => this.contentOf(path, bytes, root));
    return Object.fromEntries(
      Object.entries(found).map(([path, line]) => [path.replaceAll(PEM, 'PEM'), line.replaceAll(PEM, 'PEM')]),
    );
  }
}

/** Programs of a scratch machine are found below its root, and drop-ins name them so. */
/** A machine may be the copy of another one, and name that one's root. */
const digestOf = (bytes: Buffer, root: string): string =>
  digest(Buffer.from(bytes.toString('latin1').replace(new RegExp(`${dirname(root)}/\\d+`, 'g'), ''), 'latin1'));

/** A killed process leaves the file with its number. It no longer locks anything. */
const LOCK = '/var/lib/joinery/lock';

/** What the stand-ins of the scratch machine write by themselves, such as a directory that a static Pod mounts. */
const isNobodys = (path: string): boolean =>
  ['/run/kubelet.pid', '/run/kubelet.exit', '/var/log/kubelet.log', '/usr/libexec'].includes(path);

/** Whose it is, where certificate and key are there. */
function identityIn(bytes: Buffer): string {
  const pem = bytes.toString('utf8');
  const isNode = readCertificates(pem)[0]?.commonName === nodeUser(NODE);
  return isNode && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem) ? 'the identity' : 'no identity';
}

function leftovers(root: string): string[] {
  const problems = existsSync(join(root, 'run/joinery')) ? ['/run/joinery is left'] : [];
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.tmp')) problems.push(`/${name} is left`);
  const state = join(root, 'var/lib/joinery');
  if (existsSync(state) && (lstatSync(state).mode & 0o7777) !== 0o700) problems.push('/var/lib/joinery is open');
  return problems;
}

function recordsIn(journal: Buffer): string {
  const lines = journal.toString('utf8').split('\n');
  const torn = lines.pop();
  const kinds = lines.map((line) => {
    const { kind, step, change } = JSON.parse(line) as { kind: string; step?: string; change?: unknown };
    const { action, path } = (typeof change === 'object' ? change : {}) as { action?: string; path?: string };
    return [kind, step, action, path, typeof change].join(' ');
  });
  return [...kinds, torn === '' ? '' : 'torn'].join('\n');
}
