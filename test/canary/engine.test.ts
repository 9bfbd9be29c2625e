/** The engine by itself: what its events, results, errors and plans show, however a run ends. */
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
import { shownOf } from '../helpers/errors.ts';
import { type MadeStep, madePlan } from '../helpers/plans.ts';
import { keyCanary, leaks, plainCanary, tokenCanary } from './scanner.ts';

const TOKEN = 'abcdef.0123456789canary';
const KEY = generateKeyPem();
const CERTIFICATE_KEY = 'canary'.repeat(5);
const canaries = [tokenCanary(TOKEN), keyCanary(KEY), plainCanary('certificate key', CERTIFICATE_KEY)];
const leaksIn = (...shown: unknown[]) =>
  leaks(shown.map(shownOf).join('\n'), [...canaries, ...madeKeys.map(keyCanary)]);

/** Private keys that were made since this was emptied. */
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

interface Told {
  plan: Plan;
  events: RunEvent[];
  /** Each event as it was shown when it came. */
  shownEvents: string[];
  result: RunResult;
}

async function told(plan: Plan, options: Omit<Parameters<typeof run>[0], 'plan'>): Promise<Told> {
  const events: RunEvent[] = [];
  const shownEvents: string[] = [];
  const onEvent = (event: RunEvent) => void shownEvents.push(shownOf(events[events.push(event) - 1]));
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
  given?: (sandbox: Sandbox) => Record<string, unknown>;
  prepare?: (sandbox: Sandbox) => void;
  limitMs?: number;
  isDry?: boolean;
  signal?: AbortSignal;
}
const meets = (effect: Effect) => (sandbox: Sandbox) => sandbox.faults.add({ effect, path: CSRS });
const troubles: Record<string, Trouble> = {
  'nothing in a dry run': { code: 'none', isDry: true },
  'a pin of another CA': {
    code: 'E_CA_PIN_MISMATCH',
    given: () => ({ discoveryTokenCaCertHash: [`sha256:${'0'.repeat(64)}`] }),
  },
  'a wrong secret': { code: 'E_CLUSTER_INFO_SIGNATURE', given: () => ({ token: `abcdef.${'z'.repeat(16)}` }) },
  'an unknown token': { code: 'E_TOKEN_UNKNOWN', given: () => ({ token: TOKEN.replace('abcdef', 'fedcba') }) },
  'nobody there': { code: 'E_API_UNREACHABLE', given: () => ({ endpoint: '127.0.0.1:1' }) },
  'a name that is taken': {
    code: 'E_NODE_EXISTS',
    prepare: ({ store }) => {
      const status = { conditions: [{ type: 'Ready', status: 'True' }] };
      store.create('nodes', { metadata: { name: 'w1' }, status } as never);
    },
  },
  'a server that does not know the token': { code: 'E_API_UNAUTHORIZED', prepare: meets('unauthorized') },
  'a server that refuses': { code: 'E_API_FORBIDDEN', prepare: meets('forbidden') },
  'a server that is overloaded': { code: 'E_API_UNAVAILABLE', prepare: meets('unavailable') },
  'a portal that wants a password': { code: 'E_API_ANSWER', prepare: meets('notJson') },
  'an answer without end': { code: 'E_API_ANSWER', prepare: meets('huge') },
  'a connection that is cut': { code: 'E_API_UNREACHABLE', prepare: meets('reset') },
  'nobody who approves': {
    code: 'E_STEP_TIME_LIMIT',
    limitMs: 300,
    prepare: (sandbox) => {
      sandbox.autoApprove = false;
    },
  },
  'somebody who stops it': {
    code: 'E_CANCELLED',
    signal: AbortSignal.abort(fail('E_CANCELLED', { signal: 'SIGINT' })),
  },
};

/** A join by the pipeline that ships, on a machine below a directory, against the sandbox. */
async function joinThatMeets({ given, prepare, limitMs, isDry = false, signal }: Trouble): Promise<Told> {
  const { sandbox, root } = await scene({ token: TOKEN });
  prepare?.(sandbox);
  const scope = await app.openMachine({ root, dryRun: isDry });
  const pins = { discoveryTokenCaCertHash: [sandbox.caPin] };
  const values = { endpoint: sandbox.endpoint, token: TOKEN, ...pins, ...given?.(sandbox) };
  const plan = impatient(planOf(app.catalog.open('join-worker'), app.registry, values, scope.host.facts));
  if (limitMs !== undefined) for (const step of plan.steps) step.timeoutMs = limitMs;
  const ended = await told(plan, { host: scope.host, onFailure: 'undo', ...(signal === undefined ? {} : { signal }) });
  await scope.close();
  return ended;
}

const SECRETS = [TOKEN, KEY, CERTIFICATE_KEY];
const inputs = { token: new Secret(TOKEN), keys: [new Secret(KEY), new Secret(CERTIFICATE_KEY)] };
const leaking = (run: MadeStep['run'], isDry = false): Promise<Told> => {
  const host = memoryHost({ directories: ['/etc'] });
  return told({ ...madePlan({ id: 'leaky', run }), inputs }, { host: isDry ? recordingHost(host) : host });
};
/** What phases do wrong, and servers on purpose. */
const leakages: Record<string, () => Promise<Told>> = {
  'says them': () => leaking(({ log }) => SECRETS.map((secret) => log.warn(secret)).length && {}),
  'says them in a dry run': () => leaking(({ log }) => SECRETS.map((secret) => log.info(secret)).length && {}, true),
  'returns them': () => leaking(() => ({ list: SECRETS, deep: { text: SECRETS.join() } })),
  'throws them': () =>
    leaking(() => {
      const cause = Object.assign(new Error(TOKEN), { options: { headers: SECRETS } });
      throw new AggregateError([cause], KEY, { cause: new Error(CERTIFICATE_KEY, { cause }) });
    }),
  'fails with them for facts': () =>
    leaking(() => Promise.reject(fail('E_COMMAND_FAILED', { command: TOKEN, exitCode: 1, output: SECRETS.join() }))),
  'is handed the token back by a server': () => {
    const body = { message: `Bearer ${TOKEN} is not valid` };
    const host = memoryHost({ send: () => ({ status: 403, body, clockSkewMs: 0 }) });
    const given = { identity: { server: 'https://a:1', ca: 'x', token: TOKEN }, nodeName: 'w1' };
    return told(planOfPhase('tls-bootstrap', tlsBootstrap, given, host.facts), { host });
  },
};

/** The list on a terminal, as it is drawn. */
async function drawn({ plan, events }: Told): Promise<string> {
  const written: string[] = [];
  const ci = process.env.CI;
  delete process.env.CI;
  const stream = { isTTY: true, columns: 10_000, rows: 50, write: (text: string) => written.push(text) > 0 };
  const shown = await progress(plan, stream as never);
  for (const event of events) shown.onEvent(event);
  shown.end();
  if (ci !== undefined) process.env.CI = ci;
  return written.join('');
}

const views: Record<string, (ended: Told) => unknown> = {
  events: ({ shownEvents }) => shownEvents.join('\n'),
  'a live list on a terminal': drawn,
  'the result': ({ result }) => result,
  'the result as a document': ({ result, plan }) => JSON.stringify(resultDocument(result, { plan, dryRun: true })),
  'errors, with their facts, causes and stacks': ({ result }) =>
    [result.error, ...result.steps.map(({ error }) => error)].map(shownOf).join('\n'),
  'the plan': ({ plan }) => inspect(plan, { depth: null, showHidden: true }) + JSON.stringify(plan),
};

describe('a join that meets', () => {
  test.each(Object.entries(troubles))('%s shows no secret anywhere', async (_, trouble) => {
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
  const ended = new Map<string, Told>();
  beforeAll(async () => {
    for (const [name, leak] of Object.entries(leakages)) ended.set(name, await leak());
  });
  const of = (name: string): Told => ended.get(name) ?? expect.unreachable();

  test.each(Object.keys(leakages))('%s shows none: not in events, results or errors', async (name) => {
    for (const [where, view] of Object.entries(views)) expect(leaksIn(await view(of(name))), where).toEqual([]);
  });

  const where: [where: string, leakage: string][] = [
    ['events', 'says them'],
    ['events', 'throws them'],
    ['a live list on a terminal', 'says them'],
    ['the result', 'says them in a dry run'],
    ['the result', 'returns them'],
    ['the result as a document', 'returns them'],
    ['the result as a document', 'fails with them for facts'],
    ['errors, with their facts, causes and stacks', 'throws them'],
    ['errors, with their facts, causes and stacks', 'is handed the token back by a server'],
  ];
  test.each(where)('would be found in %s, were nothing redacted: one that %s', async (name, leakage) => {
    vi.spyOn(Redactor.prototype, 'redact').mockImplementation((value) => value);
    vi.spyOn(Redactor.prototype, 'wrapSecrets').mockImplementation((value) => value);
    const open = await leakages[leakage]?.();
    if (open === undefined) throw new Error(`no ${leakage}`);
    expect(leaksIn(await views[name]?.(open))).not.toEqual([]);
  });

  test('has secrets for inputs would be found in the plan, did secrets print themselves', () => {
    const plan = of('is handed the token back by a server').plan;
    expect(leaksIn(views['the plan']?.({ plan } as Told))).toEqual([]);
    const { reveal } = Secret.prototype;
    for (const name of ['toString', 'toJSON', inspect.custom] as const)
      vi.spyOn(Secret.prototype, name as 'toString').mockImplementation(reveal);
    expect(leaksIn(views['the plan']?.({ plan } as Told))).not.toEqual([]);
  });
});

describe('a secret is not shown by', () => {
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
    'console.log and its like': (secret) => format('%s %o %O %j', secret, secret, { secret }, secret),
    'inspect with all it can': (secret) => inspect({ secret }, { depth: null, showHidden: true, getters: true }),
    'inspect past its own word': (secret) => inspect(secret, { customInspect: false, showHidden: true, depth: null }),
    'structuredClone()': (secret) => inspect(structuredClone({ ...secret, toString: undefined })),
    'v8.serialize()': (secret) => serialize({ ...secret, toString: undefined }).toString('latin1'),
    'its own keys': (secret) => Reflect.ownKeys(secret).map((key) => String(Reflect.get(secret, key))),
    'a copy': (secret) => JSON.stringify({ ...secret }),
    'an error with it for a message': (secret) => shownOf(new Error(String(secret))),
    'an error with it for a cause': (secret) => shownOf(new Error('x', { cause: secret })),
    'an error of ours with it for a fact': (secret) => shownOf(fail('E_FILE', { path: secret as never, what: '' })),
  };
  test.each(Object.entries(ways))('%s', (_, way) => {
    expect(leaksIn(way(new Secret(TOKEN)))).toEqual([]);
    expect(leaksIn(way(new Plain(TOKEN)))).toEqual([expect.stringContaining('token')]);
  });
});
