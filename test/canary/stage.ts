/** A cluster and a machine that record all outputs of a command, by the place where they appear. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import type { KubeObject } from '../../plugins/sandbox/objects.ts';
import { type Outcome, project, type Scene, scene } from '../bin/cli.ts';
import { LEAKY_FILE } from './leaky.ts';
import { type Canary, keyCanary, leaks, plainCanary, tokenCanary } from './scanner.ts';

export const sinks = [
  'standard output',
  'standard error',
  'the JSON result',
  'a terminal',
  'the journal',
  'before-images',
  "children's command lines",
  "children's environment",
  'the disk, when the run is finished',
  'requests, beside the Authorization header',
  'the process title',
] as const;
export type Sink = (typeof sinks)[number];

/** The files of the node's key, the files that the phase writes, and the files that are sinks of their own. */
const HOMES = [
  /^m\/var\/lib\/kubelet\/pki\/kubelet-client-[\d-]+\.pem$/,
  new RegExp(`^m${LEAKY_FILE}$`),
  /^m\/var\/lib\/joinery\/runs\/[^/]+\/\d+\.(before|original)$/,
];

interface Text {
  sink: Sink;
  where: string;
  text: string;
}

export class Stage {
  readonly scene: Scene;
  readonly certificateKey = randomBytes(32).toString('hex');
  readonly texts: Text[] = [];
  readonly #launcher: string;
  readonly #folder: string;
  readonly #seen = new Set<string>();

  private constructor(played: Scene, launcher: string) {
    this.scene = played;
    this.#launcher = launcher;
    this.#folder = dirname(played.root);
  }

  /** `launcher` is the command. Default: the built command. */
  static async open(launcher: string = join(project, 'bin/join')): Promise<Stage> {
    const stage = new Stage(await scene(), launcher);
    await stage.#prepare();
    return stage;
  }

  /** The secrets that no output may contain. */
  canaries(): Canary[] {
    const keys = existsSync(this.#at('tap')) ? readFileSync(this.#at('tap'), 'utf8') : '';
    return [
      tokenCanary(this.scene.sandbox.token),
      plainCanary('certificate key', this.certificateKey),
      ...keys
        .split(/(?<=-----END EC PRIVATE KEY-----\n)/)
        .filter(Boolean)
        .map(keyCanary),
    ];
  }

  leaks(sink: Sink): string[] {
    const canaries = this.canaries();
    return this.texts.flatMap((item) =>
      item.sink === sink ? leaks(item.text, canaries).map((leak) => `${item.where}: ${leak}`) : [],
    );
  }

  /** A file that contains a secret, for `@FILE`. */
  async secretFile(name: string, secret: string): Promise<string> {
    await writeFile(this.#at(name), `${secret}\n`, { mode: 0o600 });
    return `@${this.#at(name)}`;
  }

  start(args: readonly string[]) {
    for (const { metadata } of this.scene.sandbox.store.list('certificatesigningrequests'))
      this.#seen.add(metadata.name);
    const child = spawn(process.execPath, [this.#launcher, ...args], {
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const where = `join ${args[0]} ${args[1]}`;
    const outcome = (async (): Promise<Outcome> => {
      const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
      this.#tell('standard output', where, stdout);
      this.#tell('standard error', where, stderr);
      // The text, and also its parsed values: these have no escapes.
      if (args.join(' ').includes('--output json'))
        this.#tell(
          'the JSON result',
          where,
          stdout + inspect(JSON.parse(stdout), { depth: null, maxStringLength: null }),
        );
      await this.#lookAtRuns();
      return { code: code as number | null, stdout, stderr };
    })();
    return { child, outcome };
  }

  join(...args: string[]): Promise<Outcome> {
    return this.start(args).outcome;
  }

  /** Runs the command on a terminal, with typed input. */
  async onTerminal(args: readonly string[], type: (write: (keys: string) => void) => Promise<void>): Promise<void> {
    const words = [process.execPath, this.#launcher, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qefc', words, '/dev/null'], { env: this.#environment() });
    const shown = text(child.stdout);
    await type((keys) => void child.stdin.write(keys));
    child.stdin.end(); // no question gets an answer
    this.#tell('a terminal', `join ${args[0]}`, await shown);
    await this.#lookAtRuns();
  }

  /** The title that `ps` shows while a run waits for its certificate. The run continues afterwards. */
  async titleWhileWaiting(args: readonly string[]): Promise<Outcome> {
    this.scene.sandbox.autoApprove = false;
    const { child, outcome } = this.start(args);
    await this.requested();
    this.#tell('the process title', 'while it waits', readFileSync(`/proc/${child.pid}/cmdline`, 'latin1'));
    this.scene.sandbox.autoApprove = true;
    return outcome;
  }

  /** Waits until a run has created its CSR: from then on it can be stopped cleanly. */
  async requested(): Promise<void> {
    const isNew = ({ metadata }: KubeObject) => !this.#seen.has(metadata.name);
    await waitFor(() => this.scene.sandbox.store.list('certificatesigningrequests').find(isNew));
  }

  /** Files outside the machine that a run has left. */
  async strewn(): Promise<string[]> {
    return (await Promise.all(['home', 'tmp'].map((name) => readdir(this.#at(name), { recursive: true })))).flat();
  }

  /** Reads every file. Call it when no run can be resumed. */
  async finished(): Promise<void> {
    for (const folder of ['m', 'home', 'tmp'])
      for (const name of await readdir(this.#at(folder), { recursive: true })) {
        const path = join(folder, name);
        this.#tell('the disk, when the run is finished', path, name);
        const stats = await lstat(this.#at(path));
        if (stats.isSymbolicLink())
          this.#tell('the disk, when the run is finished', path, await readlink(this.#at(path)));
        if (!stats.isFile()) continue;
        const isHome = HOMES.some((home) => home.test(path));
        // An original is the file itself, with its own mode, in a folder that only root can enter.
        const closed = path.endsWith('.original') ? await lstat(dirname(this.#at(path))) : stats;
        if (isHome && (closed.mode & 0o077) !== 0) throw new Error(`${path} is open to others`);
        if (!isHome) this.#tell('the disk, when the run is finished', path, await readFile(this.#at(path), 'latin1'));
      }
  }

  /** Path → mode of these folders of the machine, and of all files below them. */
  async modesBelow(...folders: string[]): Promise<Record<string, string>> {
    const modes: Record<string, string> = {};
    for (const folder of folders)
      for (const name of ['', ...(await readdir(join(this.scene.root, folder), { recursive: true }))]) {
        const { mode } = await lstat(join(this.scene.root, folder, name));
        modes[join(folder, name)] = (mode & 0o7777).toString(8).padStart(4, '0');
      }
    return modes;
  }

  #tell(sink: Sink, where: string, text: string): void {
    this.texts.push({ sink, where, text });
  }

  #at(name: string): string {
    return join(this.#folder, name);
  }

  /** An environment with secrets. Child processes must not get them. */
  #environment(): Record<string, string | undefined> {
    const home = this.#at('home');
    return {
      ...process.env,
      CI: undefined, // otherwise the terminal counts as a CI log
      HOME: home,
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_DATA_HOME: join(home, 'data'),
      TMPDIR: this.#at('tmp'),
      DEBUG: '*',
      NODE_OPTIONS: `--require ${join(project, 'test/canary/tap.cjs')}`,
      CANARY_TAP: this.#at('tap'),
      JOIN_TOKEN: this.scene.sandbox.token,
      CERTIFICATE_KEY: this.certificateKey,
    };
  }

  async #prepare(): Promise<void> {
    for (const name of ['home', 'tmp', 'children']) await mkdir(this.#at(name));
    // Every program of the machine records its command line.
    const programs = join(this.scene.root, 'usr/bin');
    for (const name of await readdir(programs)) {
      const real = await readFile(join(programs, name), 'utf8');
      await rename(join(programs, name), join(programs, `${name}.real`));
      const record = `"$(dirname "$0")/../../../children/$$"`;
      // The stand-in kubelet reads its version in the text of the program.
      const comments = real.replace(/^/gm, '# ');
      const lines = ['#!/bin/sh', `{ echo "$0" "$@"; echo; tr '\\0' '\\n' </proc/$$/environ; } >${record}`];
      await writeFile(join(programs, name), `${[...lines, 'exec "$0.real" "$@"', comments].join('\n')}\n`, {
        mode: 0o755,
      });
    }
    const { sandbox } = this.scene;
    const port = Number(sandbox.endpoint.split(':')[1]);
    subscribe('http.server.request.start', (message) => {
      const { request } = message as { request: IncomingMessage };
      if (request.socket.localPort === port) this.#hear(request);
    });
  }

  /** The head of a request, and its body as it arrives. */
  #hear(request: IncomingMessage): void {
    const { method, url = '', headers } = request;
    const isOurs = headers.authorization === `Bearer ${this.scene.sandbox.token}`;
    const head = inspect(
      { url, ...headers, ...(isOurs ? { authorization: 'as it should be' } : {}) },
      { breakLength: 1 },
    );
    const heard = {
      sink: 'requests, beside the Authorization header',
      where: `${method} request`,
      text: head,
    } as const;
    const record: Text = { ...heard };
    this.texts.push(record);
    const push = request.push.bind(request);
    request.push = (chunk: Buffer | null, encoding) => {
      record.text += chunk?.toString('latin1') ?? '';
      return push(chunk, encoding);
    };
  }

  async #lookAtRuns(): Promise<void> {
    const runs = join(this.scene.root, 'var/lib/joinery/runs');
    const names = existsSync(runs) ? await readdir(runs, { recursive: true }) : [];
    for (const name of names.filter((path) => path.endsWith('.jsonl')))
      this.#tell('the journal', name, await readFile(join(runs, name), 'utf8'));
    for (const name of names.filter((path) => /\.(before|original)$/.test(path)))
      this.#tell('before-images', name, await readFile(join(runs, name), 'utf8'));
    for (const name of await readdir(this.#at('children'))) {
      const path = this.#at(join('children', name));
      const [argv = '', ...environment] = (await readFile(path, 'utf8')).split('\n\n');
      await rm(path);
      const program = basename(argv.split(/\s/)[0] ?? '');
      this.#tell("children's command lines", program, argv);
      this.#tell("children's environment", program, environment.join('\n\n'));
    }
  }
}

async function waitFor<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came');
}
