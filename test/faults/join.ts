/** One join on the machine of a scene, in this process. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { DEFAULT_PIPELINE } from '../../bin/pipelines.ts';
import { errorText } from '../../bin/render/error.ts';
import { jsonText, resultDocument } from '../../bin/render/json.ts';
import { planText } from '../../bin/render/plan.ts';
import { plannedChanges } from '../../bin/render/planned.ts';
import { progress } from '../../bin/render/progress.ts';
import { resultText } from '../../bin/render/text.ts';
import type { Change } from '../../engine/host/changes/index.ts';
import { MachineCommands } from '../../engine/host/commands.ts';
import type { Host } from '../../engine/host/host.ts';
import type { Answers, Query } from '../../engine/host/query.ts';
import { realHost } from '../../engine/host/real.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { MachineServices } from '../../engine/host/services.ts';
import { kubeAccess } from '../../engine/kube/access.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { type Clock, type RunEvent, type RunResult, run } from '../../engine/run/run.ts';
import type { CommandResult } from '../../engine/sdk/ports.ts';
import { profiles } from '../../plugins/sandbox/profile.ts';
import { catalog, registry } from '../helpers/app.ts';
import { type Fault, LIMIT_MS } from './fault.ts';
import { PROFILE, type Scene, STATE, UNITS } from './scene.ts';

/** How often a step is tried that may be tried again, and with which pauses: the shipped ones add up to a minute. */
const ATTEMPTS = 3;
const PAUSE_MS = 10;
/** How long a fault lasts before the limit of its step has passed. */
const AFTER_MET_MS = 500;

export interface Outcome {
  result: RunResult;
  /** When each event came, in milliseconds. */
  events: { at: number; event: RunEvent }[];
  limitsMs: Map<string, number>;
  /** The whole output: progress, result and error. */
  text: string;
  json: string;
  /** What the phases wanted of the machine, in order. */
  wanted: Change[];
}

const pipeline = catalog.open(DEFAULT_PIPELINE);

/** The default pipeline, as `join run` would run and show it. */
export async function joinOn(
  scene: Scene,
  { limitsMs = {}, dryRun = false }: { limitsMs?: Fault['limitsMs']; dryRun?: boolean } = {},
): Promise<Outcome> {
  const host = await realHost(scene.root, {
    access: kubeAccess,
    now: () => new Date(Date.now() + scene.machineAheadMs),
  });
  const wanted: Change[] = [];
  const real = scene.wrap(watchedHost(scene, host, wanted));
  const watched = dryRun ? recordingHost(real) : real;
  const shipped = planOf(pipeline, registry, scene.values, watched.facts);
  const steps = shipped.steps.map(({ totalMs, ...step }) => ({
    ...step,
    // A step that is to reach its limit reaches it once.
    ...(limitsMs[step.id] === undefined && totalMs !== undefined ? { totalMs } : {}),
    timeoutMs: limitsMs[step.id] ?? step.timeoutMs,
    retry: { ...step.retry, attempts: Math.min(step.retry.attempts, ATTEMPTS), initialMs: PAUSE_MS, factor: 1 },
  }));
  const plan = { ...shipped, steps };
  const lines: string[] = [];
  const stream = new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) });
  const shown = await progress(stream as NodeJS.WriteStream, { hint: (text) => text });
  const events: Outcome['events'] = [];
  try {
    const result = await run({
      plan,
      host: watched,
      onFailure: scene.onFailure,
      signal: scene.cancel.signal,
      clock: clockOf(scene),
      onEvent(event) {
        events.push({ at: performance.now(), event });
        shown.onEvent(event);
      },
    });
    shown.end();
    const changes = dryRun ? await plannedChanges(result, host) : new Map();
    lines.push(dryRun ? planText({ result, plan, changes, waits: new Map() }) : resultText(result, plan));
    if (result.error !== undefined) lines.push(errorText(result.error, { version: '0.0.0' }));
    const json = jsonText(resultDocument(result, { plan, dryRun }));
    const limits = new Map(steps.map(({ id, timeoutMs }) => [id, timeoutMs]));
    return { result, events, limitsMs: limits, text: lines.join('\n'), json, wanted };
  } finally {
    await host.close();
  }
}

/**
 * The clock of the machines. A limit that a fault is to reach passes soon after the fault was met, and not before:
 * how busy this machine is decides nothing.
 */
function clockOf(scene: Scene): Clock {
  const passed = (ended: AbortController, fn: () => void): void => {
    if (ended.signal.aborted) return;
    scene.limitPassedAt = performance.now();
    fn();
  };
  const pass = (ended: AbortController, fn: () => void): void => {
    if (ended.signal.aborted) return;
    if (scene.met.size < scene.added) setTimeout(pass, 20, ended, fn);
    else setTimeout(passed, AFTER_MET_MS, ended, fn);
  };
  return {
    setTimeout(fn, timeoutMs) {
      const ended = new AbortController();
      if (timeoutMs === LIMIT_MS && scene.added > 0) pass(ended, fn);
      else {
        const timer = setTimeout(fn, timeoutMs);
        ended.signal.addEventListener('abort', () => clearTimeout(timer));
      }
      return ended;
    },
    clearTimeout: (ended) => (ended as AbortController | undefined)?.abort(),
  };
}

/** Records the wanted changes, and is the kubelet that the service manager starts. */
function watchedHost(scene: Scene, host: Host, wanted: Change[]): Host {
  const commands = new ReportingCommands(scene);
  const services = new MachineServices(commands);
  const report = (query: Query, signal: AbortSignal): Promise<unknown> | undefined => {
    if (scene.hasPrograms) return undefined;
    if (query.kind === 'service') return services.status(query.name, signal);
    if (query.kind === 'unit') return services.unit(query.name, signal);
    return query.kind === 'output' ? commands.run(query.argv, signal) : undefined;
  };
  return {
    ...host,
    read: <K extends Query['kind']>(query: Extract<Query, { kind: K }>, signal: AbortSignal) =>
      (report(query, signal) as Promise<Answers[K]> | undefined) ?? host.read<K>(query, signal),
    wait: (condition, signal, onStandIn) =>
      condition.kind === 'healthy' && !scene.hasPrograms
        ? services.waitHealthy(condition.service, condition.url, signal)
        : host.wait(condition, signal, onStandIn),
    async apply(change, signal) {
      wanted.push(change);
      if (scene.hasPrograms || change.kind !== 'service') await host.apply(change, signal);
      if (change.kind !== 'service' || change.action === 'reload') return;
      if (change.action === 'start') await scene.startKubelet();
      else await scene.stopKubelet();
    },
  };
}

/** The programs of the machine. What they report needs no process, because starting one takes longer than a join. */
class ReportingCommands extends MachineCommands {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    super(scene.root);
    this.#scene = scene;
  }

  override async run(argv: readonly string[], signal: AbortSignal): Promise<CommandResult> {
    const stdout = await reportOf(this.#scene, argv);
    return stdout === undefined ? super.run(argv, signal) : { exitCode: 0, stdout, stderr: '' };
  }
}

async function reportOf({ root }: Scene, [program, verb, unit]: readonly string[]): Promise<string | undefined> {
  const textAt = (path: string) => readFile(join(root, path), 'utf8');
  if (verb === '--version') return `Kubernetes ${profiles[PROFILE].gitVersion}\n`;
  if (program !== 'systemctl') return undefined;
  if (verb === 'cat') return (await Promise.all(UNITS.map(textAt))).join('\n');
  if (verb !== 'show') return undefined;
  if (unit !== 'kubelet') return 'LoadState=not-found\nActiveState=inactive\n';
  return `LoadState=loaded\nActiveState=${(await textAt(STATE)).trim()}\nUnitFileState=enabled\nNRestarts=0\n`;
}
