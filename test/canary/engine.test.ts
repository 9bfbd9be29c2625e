/** Events, results, errors and plans of the engine show no secret, however a run ends. */
import 'reflect-metadata';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { resultDocument } from '../../bin/render/json.ts';
import { progress } from '../../bin/render/progress.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import { type Plan, planOf } from '../../engine/pipeline/plan.ts';
import { generateKeyPem } from '../../engine/pki/index.ts';
import { Redactor } from '../../engine/run/redact.ts';
import { type RunEvent, type RunResult, run } from '../../engine/run/run.ts';
import { fail, Secret } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import tlsBootstrap from '../../phases/tls-bootstrap/index.ts';
import type { Effect, Sandbox } from '../../plugins/sandbox/index.ts';
import { scene } from '../bin/cli.ts';
import { app } from '../helpers/app.ts';
import { printedForms } from '../helpers/errors.ts';
import { planOfSteps, type TestStep } from '../helpers/plans.ts';
import { keyCanary, leaks, plainCanary, tokenCanary } from './scanner.ts';

const TOKEN = 'abcdef.0123456789canary';
const KEY = generateKeyPem();
const CERTIFICATE_KEY = 'canary'.repeat(5);
const canaries = [tokenCanary(TOKEN), keyCanary(KEY), plainCanary('certificate key', CERTIFICATE_KEY)];
const leaksIn = (...shown: unknown[]) =>
  leaks(shown.map(printedForms).join('\n'), [...canaries, ...madeKeys.map(keyCanary)]);

/** Private keys that were created since this list was emptied. */
const madeKeys: string[] = [];
const { generateKeyPairSync } = crypto;
beforeAll(() => {
  crypto.generateKeyPairSync = ((...args: Parameters<typeof generateKeyPairSync>) => {
    const pair = generateKeyPairSync(...args);
    madeKeys.push(String(pair.privateKey.export({ type: 'sec1', format: 'pem' })));
    return pair;
  }) as typeof generateKeyPairSync;
  syncBuiltinESMExports();
});
afterAll(() => {
  crypto.generateKeyPairSync = generateKeyPairSync;
  syncBuiltinESMExports();
});

interface EndedRun {
  plan: Plan;
  events: RunEvent[];
  /** The text of each event at the time it arrived. */
  shownEvents: string[];
  result: RunResult;
}

async function runToEnd(plan: Plan, options: Omit<Parameters<typeof run>[0], 'plan'>): Promise<EndedRun> {
  const events: RunEvent[] = [];
  const shownEvents: string[] = [];
  const onEvent = (event: RunEvent) => void shownEvents.push(printedForms(events[events.push(event) - 1]));
  const result = await run({ ...options, plan, onEvent });
  return { plan, events, shownEvents, result };
}

const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const impatient = (plan: Plan): Plan => ({
  ...plan,
  steps: plan.steps.map((step) => ({ ...step, retry: { ...step.retry, attempts: 1 } })),
});

interface Trouble {
  code: string;
  inputs?: (sandbox: Sandbox) => Record<string, unknown>;
  prepare?: (sandbox: Sandbox) => void;
  limitMs?: number;
  isDry?: boolean;
  signal?: AbortSignal;
}
const meets = (effect: Effect) => (sandbox: Sandbox) => sandbox.faults.add({ effect, path: CSRS });
const troubles: Record<string, Trouble> = {
  'no error in a dry run': { code: 'none', isDry: true },
  'a pin of another CA': {
    code: 'E_CA_PIN_MISMATCH',
    inputs: () => ({ discoveryTokenCaCertHash: [`sha256:${'0'.repeat(64)}`] }),
  },
  'a wrong secret': { code: 'E_CLUSTER_INFO_SIGNATURE', inputs: () => ({ token: `abcdef.${'z'.repeat(16)}` }) },
  'an unknown token': { code: 'E_TOKEN_UNKNOWN', inputs: () => ({ token: TOKEN.replace('abcdef', 'fedcba') }) },
  'an unreachable server': { code: 'E_API_UNREACHABLE', inputs: () => ({ endpoint: '127.0.0.1:1' }) },
  'a node name that is in use': {
    code: 'E_NODE_EXISTS',
    prepare: ({ store }) => {
      const status = { conditions: [{ type: 'Ready', status: 'True' }] };
      store.create('nodes', { metadata: { name: 'w1' }, status } as never);
    },
  },
  'a server that does not know the token': { code: 'E_API_UNAUTHORIZED', prepare: meets('unauthorized') },
  'a server that refuses': { code: 'E_API_FORBIDDEN', prepare: meets('forbidden') },
  'a server that is overloaded': { code: 'E_API_UNAVAILABLE', prepare: meets('unavailable') },
  'the page of a captive portal': { code: 'E_API_ANSWER', prepare: meets('notJson') },
  'an endless answer': { code: 'E_API_ANSWER', prepare: meets('huge') },
  'a lost connection': { code: 'E_API_UNREACHABLE', prepare: meets('reset') },
  'a CSR without approval': {
    code: 'E_STEP_TIME_LIMIT',
    limitMs: 300,
    prepare: (sandbox) => {
      sandbox.autoApprove = false;
    },
  },
  'a cancellation': {
    code: 'E_CANCELLED',
    signal: AbortSignal.abort(fail('E_CANCELLED', { signal: 'SIGINT' })),
  },
};

/** A join with the shipped pipeline, on a machine below a directory, against the sandbox. */
async function joinThatMeets({ inputs: changed, prepare, limitMs, isDry = false, signal }: Trouble): Promise<EndedRun> {
  const { sandbox, root } = await scene({ token: TOKEN });
  prepare?.(sandbox);
  const scope = await app.openMachine({ root, dryRun: isDry });
  const pins = { discoveryTokenCaCertHash: [sandbox.caPin] };
  const values = { endpoint: sandbox.endpoint, token: TOKEN, ...pins, ...changed?.(sandbox) };
  const plan = impatient(planOf(app.catalog.open('join-worker'), app.registry, values, scope.host.facts));
  if (limitMs !== undefined) for (const step of plan.steps) step.timeoutMs = limitMs;
  const ended = await runToEnd(plan, {
    host: scope.host,
    onFailure: 'undo',
    ...(signal === undefined ? {} : { signal }),
  });
  await scope.close();
  return ended;
}

const SECRETS = [TOKEN, KEY, CERTIFICATE_KEY];
const inputs = { token: new Secret(TOKEN), keys: [new Secret(KEY), new Secret(CERTIFICATE_KEY)] };
const leaking = (run: TestStep['run'], isDry = false): Promise<EndedRun> => {
  const host = memoryHost({ directories: ['/etc'] });
  return runToEnd({ ...planOfSteps({ id: 'leaky', run }), inputs }, { host: isDry ? recordingHost(host) : host });
};
/** Mistakes of phases, and attacks of servers. */
const leakages: Record<string, () => Promise<EndedRun>> = {
  'logs secrets': () => leaking(({ log }) => SECRETS.map((secret) => log.warn(secret)).length && {}),
  'logs secrets in a dry run': () => leaking(({ log }) => SECRETS.map((secret) => log.info(secret)).length && {}, true),
  'returns secrets': () => leaking(() => ({ list: SECRETS, deep: { text: SECRETS.join() } })),
  'throws secrets': () =>
    leaking(() => {
      const cause = Object.assign(new Error(TOKEN), { options: { headers: SECRETS } });
      throw new AggregateError([cause], KEY, { cause: new Error(CERTIFICATE_KEY, { cause }) });
    }),
  'fails with secrets as facts': () =>
    leaking(() => Promise.reject(fail('E_COMMAND_FAILED', { command: TOKEN, exitCode: 1, output: SECRETS.join() }))),
  'gets its token back from a server': () => {
    const body = { message: `Bearer ${TOKEN} is not valid` };
    const host = memoryHost({ send: () => ({ status: 403, body, clockSkewMs: 0 }) });
    const input = { identity: { server: 'https://a:1', ca: 'x', token: TOKEN }, nodeName: 'w1' };
    return runToEnd(planOfPhase('tls-bootstrap', tlsBootstrap, input, host.facts), { host });
  },
};

/** The progress list as a terminal draws it. */
async function drawn({ events }: EndedRun): Promise<string> {
  const written: string[] = [];
  const ci = process.env.CI;
  delete process.env.CI;
  const stream = { isTTY: true, columns: 10_000, rows: 50, write: (text: string) => written.push(text) > 0 };
  const shown = await progress(stream as never, { hint: (text) => text });
  for (const event of events) shown.onEvent(event);
  shown.end();
  if (ci !== undefined) process.env.CI = ci;
  return written.join('');
}

const views: Record<string, (ended: EndedRun) => unknown> = {
  events: ({ shownEvents }) => shownEvents.join('\n'),
  'a live list on a terminal': drawn,
  'the result': ({ result }) => result,
  'the result as a document': ({ result, plan }) => JSON.stringify(resultDocument(result, { plan, dryRun: true })),
  'errors, with their facts, causes and stacks': ({ result }) =>
    [result.error, ...result.steps.map(({ error }) => error)].map(printedForms).join('\n'),
  'the plan': ({ plan }) => inspect(plan, { depth: null, showHidden: true }) + JSON.stringify(plan),
};

describe('a join that meets', () => {
  test.each(Object.entries(troubles))('a join that meets %s shows no secret', async (_, trouble) => {
    madeKeys.length = 0;
    const ended = await joinThatMeets(trouble);
    expect(madeKeys.length).toBeGreaterThan(0);
    expect((ended.result.error as { code?: string } | undefined)?.code ?? 'none').toBe(trouble.code);
    expect(ended.shownEvents.length).toBeGreaterThan(0);
    for (const [name, view] of Object.entries(views)) expect(leaksIn(await view(ended)), name).toEqual([]);
  });
});

describe('a phase that', () => {
  afterEach(() => vi.restoreAllMocks());
  const ended = new Map<string, EndedRun>();
  beforeAll(async () => {
    for (const [name, leak] of Object.entries(leakages)) ended.set(name, await leak());
  });
  const of = (name: string): EndedRun => ended.get(name) ?? expect.unreachable();

  test.each(Object.keys(leakages))('no event, result or error shows the secrets of a phase that %s', async (name) => {
    for (const [where, view] of Object.entries(views)) expect(leaksIn(await view(of(name))), where).toEqual([]);
  });

  const where: [where: string, leakage: string][] = [
    ['events', 'logs secrets'],
    ['events', 'throws secrets'],
    ['a live list on a terminal', 'logs secrets'],
    ['the result', 'logs secrets in a dry run'],
    ['the result', 'returns secrets'],
    ['the result as a document', 'returns secrets'],
    ['the result as a document', 'fails with secrets as facts'],
    ['errors, with their facts, causes and stacks', 'throws secrets'],
    ['errors, with their facts, causes and stacks', 'gets its token back from a server'],
  ];
  test.each(where)('without redaction, %s would show the secrets of a phase that %s', async (name, leakage) => {
    vi.spyOn(Redactor.prototype, 'redact').mockImplementation((value) => value);
    vi.spyOn(Redactor.prototype, 'wrapSecrets').mockImplementation((value) => value);
    const open = await leakages[leakage]?.();
    if (open === undefined) throw new Error(`no ${leakage}`);
    expect(leaksIn(await views[name]?.(open))).not.toEqual([]);
  });

  test('the plan would show secret inputs if a Secret printed itself', () => {
    const plan = of('gets its token back from a server').plan;
    expect(leaksIn(views['the plan']?.({ plan } as EndedRun))).toEqual([]);
    const { reveal } = Secret.prototype;
    for (const name of ['toString', 'toJSON', inspect.custom] as const)
      vi.spyOn(Secret.prototype, name as 'toString').mockImplementation(reveal);
    expect(leaksIn(views['the plan']?.({ plan } as EndedRun))).not.toEqual([]);
  });
});

describe('a Secret', () => {
  class Plain {
    readonly value: string;
    constructor(value: string) {
      this.value = value;
    }
    toString = () => this.value;
  }
  const ways: Record<string, (secret: object) => unknown> = {
    'text around it': (secret) => `token ${secret}`,
    concatenation: (secret) => `token ${['', secret].join('')}`,
    'String()': (secret) => String(secret),
    'toLocaleString()': (secret) => secret.toLocaleString(),
    'JSON.stringify()': (secret) => JSON.stringify({ secret, list: [secret] }),
    'console.log and format': (secret) => format('%s %o %O %j', secret, secret, { secret }, secret),
    'inspect with every option': (secret) => inspect({ secret }, { depth: null, showHidden: true, getters: true }),
    'inspect without its custom function': (secret) =>
      inspect(secret, { customInspect: false, showHidden: true, depth: null }),
    'structuredClone()': (secret) => inspect(structuredClone({ ...secret, toString: undefined })),
    'v8.serialize()': (secret) => serialize({ ...secret, toString: undefined }).toString('latin1'),
    'its own keys': (secret) => Reflect.ownKeys(secret).map((key) => String(Reflect.get(secret, key))),
    'a copy': (secret) => JSON.stringify({ ...secret }),
    'an error with the secret as its message': (secret) => printedForms(new Error(String(secret))),
    'an error with the secret as its cause': (secret) => printedForms(new Error('x', { cause: secret })),
    'a JoinError with the secret as a fact': (secret) =>
      printedForms(fail('E_FILE', { path: secret as never, what: '' })),
  };
  test.each(Object.entries(ways))('%s does not show a secret', (_, way) => {
    expect(leaksIn(way(new Secret(TOKEN)))).toEqual([]);
    expect(leaksIn(way(new Plain(TOKEN)))).toEqual([expect.stringContaining('token')]);
  });
});
