import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type ErrorCode,
  EXIT,
  errorCodes,
  type Facts,
  fail,
  isJoinError,
  JoinError,
} from '../../../engine/sdk/errors.ts';
import { Secret } from '../../../engine/sdk/index.ts';
import { shownOf } from '../../helpers/errors.ts';
import { sourcesBelow } from '../../helpers/sources.ts';

const docs = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const CANARY = 'canary-0b1d';
const server = 'https://10.0.0.1:6443';
const csr = 'node-csr-x';
const facts = { csr, reason: 'Because', message: 'not you' };

/** Facts for every code: a new one does not compile without. */
const samples: { [C in ErrorCode]: Facts<C> } = {
  E_API_ANSWER: { server, what: 'no JSON' },
  E_API_CERTIFICATE_NAME: { server, names: 'DNS:api' },
  E_API_CERTIFICATE_TIME: { server, what: 'expired' },
  E_API_CERTIFICATE_UNTRUSTED: { server, what: 'self-signed' },
  E_API_FORBIDDEN: { server, what: 'get nodes', message: 'no' },
  E_API_REFUSED: { server, what: 'create nodes', status: 422, message: 'invalid' },
  E_API_UNAUTHORIZED: { server, what: 'get nodes' },
  E_API_UNAVAILABLE: { server, what: 'get nodes', status: 503, message: 'starting' },
  E_API_UNREACHABLE: { server, what: 'refused' },
  E_APPROVAL_DENIED: { step: 'approve', by: 'alice', reason: 'no window today' },
  E_APPROVAL_NONE: { run: 'r', step: 'approve', open: ['other'] },
  E_APPROVAL_TIMEOUT: { step: 'approve' },
  E_ATTEMPT_ENDED: { what: 'reading file' },
  E_ASSERT: { message: 'the disk is too small' },
  E_CANCELLED: { signal: 'SIGINT' },
  E_CA_FILE_DIFFERS: { path: '/ca.crt', found: 'sha256:a', wanted: 'sha256:b' },
  E_CA_HASH: { file: '/ca.crt', what: 'it holds no certificate' },
  E_CA_PIN_MISMATCH: { server, pinned: ['sha256:a'], seen: ['sha256:b'] },
  E_CERTIFICATE_WRONG: { csr, problems: ['it does not match the private key'] },
  E_CGROUP_DRIVER: { kubelet: 'systemd', runtime: 'cgroupfs', socket: '/run/x.sock' },
  E_CHANGE_TOO_LARGE: { what: 'file /etc/x', bytesMax: 4_194_304 },
  E_CLOCK_SKEW: { server, skewSeconds: 120 },
  E_CLUSTER_INFO_CHANGED: { server },
  E_CLUSTER_INFO_INVALID: { server, what: 'empty' },
  E_CLUSTER_INFO_MISSING: { server, status: 404 },
  E_CLUSTER_INFO_SIGNATURE: { server, tokenId: 'abcdef' },
  E_COMMAND_FAILED: { command: 'kubelet --version', exitCode: 1, output: 'no' },
  E_CONFIG: { problems: [{ file: 'worker.yaml', line: 3, column: 1, message: 'unknown field nodeNam' }] },
  E_CONFIG_FILE: { file: 'worker.yaml', what: 'no such file' },
  E_CONTROL_PLANE_UNSUPPORTED: { what: '--control-plane' },
  E_CRI_ABSENT: { socket: '/run/x.sock' },
  E_CRI_REFUSED: { socket: '/run/x.sock', what: 'list its sandboxes', message: 'no' },
  E_CRI_SOCKETS: { sockets: ['unix:///a', 'unix:///b'] },
  E_CRI_UNREACHABLE: { socket: '/run/x.sock', what: 'permission denied' },
  E_CSR_CONFLICT: { csr, what: 'it is for another key' },
  E_CSR_DENIED: facts,
  E_CSR_FAILED: facts,
  E_CSR_GONE: { csr },
  E_DISCOVERY_CREDENTIALS: { file: '/root/discovery.conf' },
  E_DISCOVERY_FILE: { file: '/root/discovery.conf', what: 'it names no cluster' },
  E_DOWNLOAD: { url: 'https://example.test/discovery.conf', what: 'the server answered 404' },
  E_DYNAMIC_CONFIG_FORBIDDEN: { node: 'w1', source: '{"configMap":{}}' },
  E_DYNAMIC_CONFIG_GONE: { server, what: 'is v1.24.0' },
  E_DYNAMIC_CONFIG_IGNORED: { node: 'w1', said: '' },
  E_EFFECT_UNDECLARED: { what: 'file /etc/x' },
  E_ENVIRONMENT_FILE: { file: 'site.yaml', what: 'no such file', shipped: ['cloud'] },
  E_FILE: { path: '/etc/x', what: 'permission denied' },
  E_FILE_UNTRUSTED: { file: '/p.yaml', why: 'it belongs to user 1000', command: 'chown root /p.yaml' },
  E_HEALTH: { service: 'kubelet', url: 'http://127.0.0.1:10248/healthz', lastLine: 'bye' },
  E_HTTP_ANSWER: { method: 'GET', url: 'https://x.test/', what: 'it answered 503', retried: true },
  E_HTTP_UNREACHABLE: { method: 'GET', url: 'https://x.test/', what: 'refused', retried: true },
  E_INPUT: { problems: ['--token is missing'] },
  E_JOURNAL_LIMIT: { record: 'the input of step a', what: 'it has 9 bytes as JSON, and a record at most 8' },
  E_JOURNAL_DAMAGED: { file: '/var/lib/joinery/runs/r/journal.jsonl', line: 3, what: 'its checksum is wrong' },
  E_JOURNAL_SHARED: { file: '/var/lib/joinery/runs/1/journal.jsonl', lengthBytes: 100, found: 150 },
  E_JOURNAL_VERSION: { file: '/var/lib/joinery/runs/r/journal.jsonl', version: 2, known: 1 },
  E_KUBECONFIG: { file: '/admin.conf', what: 'no such file' },
  E_KUBECONFIG_ACCESS: { server, file: '/admin.conf', what: 'list tokens', status: 403, message: 'no' },
  E_KUBELET_BOOTSTRAP: { node: 'w1' },
  E_KUBELET_CONFIG: { what: 'it is not a mapping' },
  E_NODE_EXISTS: { node: 'w1' },
  E_OTHER_CLUSTER: { path: '/etc/kubernetes/kubelet.conf', server },
  E_OUTPUT: { phase: 'x', problems: ['server must be a string'] },
  E_PHASE_INPUT: { phase: 'file', problems: ['there is no /etc/x'] },
  E_PATCH: { file: '/patches/kubeletconfiguration+json.json', what: 'operation 1: there is no /a' },
  E_PHASE_UNKNOWN: { phase: 'preflght', nearest: 'preflight' },
  E_PIPELINE: { problems: [{ file: 'p.yaml', line: 1, column: 2, message: 'unknown key' }] },
  E_PIPELINE_FILE: { file: 'p.yaml', what: 'no such file' },
  E_PLUGIN_CODE: { plugin: '/opt/acme', what: 'no function' },
  E_PLUGIN_ENGINE: { plugin: 'acme', range: '^9.0.0', version: '0.1.0' },
  E_PLUGIN_FILES: { folder: '/opt/acme', what: 'a link leads out of it' },
  E_PLUGIN_FINDINGS: { plugin: 'acme', findings: ['index.js:1: imports node:fs, past the ports'] },
  E_PLUGIN_LOCK: {
    ...{ plugin: 'acme', file: '/etc/joinery/joinery.lock', command: 'join plugin lock' },
    ...{ pinned: undefined, found: { version: '1.0.0', integrity: 'sha512-x' } },
  },
  E_PLUGIN_LOCK_FILE: { file: '/etc/joinery/joinery.lock', what: 'lockVersion must be 1' },
  E_PLUGIN_MANIFEST: { file: '/opt/acme/package.json', problems: ['version is missing'] },
  E_PLUGIN_MISMATCH: { plugin: 'acme', differences: ['phase x is in the code, and not in the manifest'] },
  E_PLUGIN_MISSING: { plugin: 'acme', searched: ['/etc/joinery/plugins'] },
  E_PLUGIN_TWICE: { what: 'phase x', first: 'acme', second: 'other' },
  E_PREFLIGHT: { checks: [{ check: 'Swap', result: 'error', evidence: 'swap is on', hint: 'swapoff -a' }] },
  E_PROGRAM_MISSING: { program: 'kubelet' },
  E_RESET_CONTROL_PLANE: { path: '/etc/kubernetes/manifests/etcd.yaml' },
  E_RESET_UNCONFIRMED: {},
  E_RUN_CHANGED: { run: '20261124-100000-0000', source: 'pipeline' },
  E_RUN_CLOSED: { run: '20261124-100000-0000', status: 'undone' },
  E_RUN_LOCKED: { root: '/', lock: '/var/lib/joinery/lock', pid: 4711, run: '20261124-100000-0000' },
  E_RUN_NONE: { what: 'resume' },
  E_RUN_PLUGIN: {
    ...{ run: '20261124-100000-0000', plugin: 'acme', folder: '/opt/acme', version: '1.0.0', what: 'it is gone' },
  },
  E_RUN_OTHER_MACHINE: { run: 'r', source: 'machine-id', recorded: 'a1', found: 'b2' },
  E_RUN_SECRET_GONE: { run: '20261124-100000-0000', flags: ['--token'] },
  E_RUN_UNFINISHED: { run: '20261124-100000-0000', differs: ['--node-name'] },
  E_RUN_UNKNOWN: { given: '2027', ids: ['20261124-100000-0000'] },
  E_SECRET_IN_ADDRESS: { origin: 'https://x.test' },
  E_SECRET_SHOWN: { program: 'curl' },
  E_SERVICE_ACTION: { service: 'kubelet', action: 'mask', manager: 'openrc' },
  E_SERVICE_FAILED: { service: 'kubelet', lastLine: 'bye' },
  E_SERVICE_MISSING: { service: 'kubelet', manager: 'systemd' },
  E_STEP_STUCK: { step: 'a', graceMs: 5_000 },
  E_STATE_UNTRUSTED: {
    ...{
      path: '/var/lib',
      believed: '/var/lib/joinery',
      owner: '1000:1000',
      mode: '0777',
      command: 'chmod go-w /var/lib',
    },
  },
  E_STEP_TIME_LIMIT: { step: 'a', limitMs: 1_000 },
  E_TOKEN_ABSENT: { ids: ['abcdef'] },
  E_TOKEN_EXISTS: { id: 'abcdef' },
  E_TOKEN_UNKNOWN: { server, tokenId: 'abcdef' },
  E_UNDECIDED: { what: 'the answer' },
  E_VERSION_SKEW: { kubelet: 'v1.30.2', cluster: 'v1.29.1', minorsMax: 3 },
  E_UNDO_REFUSED: { run: '20261124-100000-0000', steps: ['kubeconfig'] },
  E_UNDO_UNCONFIRMED: { run: '20261124-100000-0000' },
  E_WAIT: { what: '127.0.0.1:6443', said: 'connection refused' },
};
const of = (code: ErrorCode, given: object = samples[code]): JoinError => fail(code, given as never);
const errors = errorCodes.map((code) => of(code));

/** Codes that phases and commands raise as their own. */
const sources = sourcesBelow('bin', 'engine', 'phases', 'plugins');
const ownCodes = [
  ...new Set(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/^(?! ?[/*]).*\bcode: '(E_\w+)'/gm)].map((match) => match[1] ?? ''),
    ),
  ),
];

interface Section {
  code: string;
  exitCode: number;
  retried: boolean;
  when: string;
  remedy: string;
}
const sections: Section[] = docs
  .split(/^## /m)
  .slice(1)
  .map((text) => {
    const [code = '', told = '', remedy = '', ...more] = text
      .split('\n\n')
      .map((part) => part.trim().replaceAll('\n', ' '))
      .filter(Boolean);
    const [, exitCode, retried, when] = /^Exit code (\d+)(, retried)?\. (.+)$/.exec(told) ?? [];
    expect(more, code).toEqual([]);
    return { code, exitCode: Number(exitCode), retried: retried !== undefined, when: when ?? '', remedy };
  });

describe('docs/errors.md', () => {
  test('has a section for every code, and none for another', () => {
    expect(sections.map(({ code }) => code)).toEqual([...errorCodes, ...ownCodes].sort());
  });

  test('says of each when it occurs and what to do, in sentences', () => {
    for (const { code, when, remedy } of sections)
      for (const sentence of [when, remedy]) expect(sentence, code).toMatch(/^[A-Z`].{15,}\.$/);
    const words = sections.flatMap(({ when }) => when);
    expect(new Set(words).size).toBe(words.length);
  });

  test('tells the exit code of each, and whether it is retried', () => {
    const told = sections.filter(({ code }) => !ownCodes.includes(code));
    expect(told.map(({ code, exitCode, retried }) => [code, exitCode, retried])).toEqual(
      errors.map(({ code, exitCode, transient }) => [code, exitCode, transient]).sort(),
    );
  });

  test('has every exit code in its table', () => {
    const rows = [...docs.matchAll(/^\| (\d+) \| .+ \|$/gm)].map(([, exitCode]) => Number(exitCode));
    expect(rows).toEqual([0, ...Object.values(EXIT)]);
  });
});

describe('the catalogue', () => {
  test('holds nothing that is never raised', () => {
    const text = sources
      .filter(({ path }) => !path.startsWith('engine/sdk/errors'))
      .map((source) => source.text)
      .join('\n');
    expect(errorCodes.filter((code) => !new RegExp(`(fail|of)\\(\\s*'${code}'|'${code}',`).test(text))).toEqual([]);
  });

  test('says something else for each code', () => {
    for (const part of ['message', 'hint'] as const)
      for (const error of errors)
        expect(error[part], error.code).not.toMatch(/undefined|null|NaN|\[object|\n\n|^\s|\s$/);
    const messages = errors.map(({ message }) => message);
    expect(new Set(messages).size).toBe(messages.length);
  });

  test('has a hint for each that says what to do next', () => {
    const next =
      /\b(add|ask|check|choose|compare|create|delete|fix|get|inspect|install|join|list|omit|pin|read|renew|report|restore|run|see|set|undo|use|wait|kubeadm|kubectl|journalctl|systemctl|rm)\b|--[a-z]/i;
    for (const { code, hint } of errors) {
      expect(hint, code).toMatch(next);
      expect(hint, code).not.toMatch(/[:,;]$/);
      expect(hint.length, code).toBeGreaterThan(20);
    }
  });

  test('tries again only what may go away by itself', () => {
    expect(
      errors
        .filter(({ transient }) => transient)
        .map(({ code }) => code)
        .sort(),
    ).toEqual([
      'E_API_ANSWER',
      'E_API_UNAVAILABLE',
      'E_API_UNREACHABLE',
      'E_CRI_UNREACHABLE',
      'E_CSR_GONE',
      'E_HTTP_ANSWER',
      'E_HTTP_UNREACHABLE',
      'E_TOKEN_UNKNOWN',
    ]);
  });

  test('shows no secret, even where one is handed in as a fact by mistake', () => {
    const disguised = (value: unknown): unknown => {
      if (typeof value === 'string') return new Secret(CANARY);
      if (Array.isArray(value)) return value.map(disguised);
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, disguised(inner)]));
      return value;
    };
    for (const code of errorCodes) {
      const error = of(code, disguised(samples[code]) as object);
      expect(shownOf(error) + error.hint, code).not.toContain(CANARY);
    }
  });

  test('names no fact for a secret', () => {
    const names = errorCodes.flatMap((code) => Object.keys(samples[code]));
    expect(names.filter((name) => /token$|key|secret|password/i.test(name))).toEqual([]);
  });
});

describe('words that depend on facts', () => {
  test.each<[ErrorCode, object, string]>([
    ['E_CLOCK_SKEW', { server, skewSeconds: 120 }, `the clock of this machine is 120 s behind the clock of ${server}`],
    ['E_CLOCK_SKEW', { server, skewSeconds: -90 }, `the clock of this machine is 90 s ahead of the clock of ${server}`],
    ['E_PHASE_UNKNOWN', { phase: 'x', nearest: undefined }, 'there is no phase x'],
    ['E_STEP_TIME_LIMIT', { step: 'a', limitMs: 1_500 }, 'step a did not finish within its time limit of 1.5 s'],
    [
      'E_CA_PIN_MISMATCH',
      { server, pinned: ['a', 'b'], seen: ['c', 'd'] },
      `${server} presents CA key c, d, but only a, b is pinned`,
    ],
  ])('%s %j', (code, given, message) => {
    expect(of(code, given).message).toBe(message);
  });

  test.each([
    [404, 'kubeadm init phase bootstrap-token'],
    [403, 'Public access may have been disabled'],
  ])('E_CLUSTER_INFO_MISSING at %i hints at the reason', (status, text) => {
    expect(of('E_CLUSTER_INFO_MISSING', { server, status }).hint).toContain(text);
  });
});

describe('a JoinError', () => {
  test('is known by its mark, from whatever copy of the class it comes', () => {
    const copy = Object.assign(new Error('x'), { [Symbol.for('joinery.error')]: true });
    expect([of('E_FILE'), copy, new Error('x'), { code: 'E_FILE' }, undefined, 'E_FILE'].map(isJoinError)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test('keeps its cause, and has none where there was none', () => {
    const cause = new Error('why');
    expect(fail('E_FILE', samples.E_FILE, cause).cause).toBe(cause);
    expect('cause' in of('E_FILE')).toBe(false);
  });

  test("of a plugin's own ends as a problem of the machine, once, where it says nothing", () => {
    const own = { code: 'E_ACME', message: 'm', hint: 'h' } as const;
    expect(JoinError.own(own)).toMatchObject({ ...own, exitCode: EXIT.machine, transient: false, facts: {} });
    expect(JoinError.own({ ...own, exitCode: 42, transient: true })).toMatchObject({ exitCode: 42, transient: true });
    expect(isJoinError(JoinError.own(own))).toBe(true);
  });
});
