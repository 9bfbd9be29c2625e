import { describe, expect, test } from 'vitest';
import { type ErrorCode, EXIT, errorCodes, fail, isJoinError, JoinError } from '../../../engine/sdk/errors.ts';
import { Secret } from '../../../engine/sdk/index.ts';
import { printedForms } from '../../helpers/errors.ts';
import { sourcesBelow } from '../../helpers/sources.ts';
import { sampleError, sampleErrors, samples, server } from './error-samples.ts';

const CANARY = 'canary-0b1d';
const sources = sourcesBelow('bin', 'engine', 'phases', 'plugins');

describe('the catalogue', () => {
  test('the error catalogue holds no error that is never raised', () => {
    const text = sources
      .filter(({ path }) => !path.startsWith('engine/sdk/errors/'))
      .map((source) => source.text)
      .join('\n');
    expect(errorCodes.filter((code) => !new RegExp(`(fail|of)\\(\\s*'${code}'|'${code}',`).test(text))).toEqual([]);
  });

  test('the error catalogue has a different text for each code', () => {
    for (const part of ['message', 'hint'] as const)
      for (const error of sampleErrors)
        expect(error[part], error.code).not.toMatch(/undefined|null|NaN|\[object|\n\n|^\s|\s$/);
    const messages = sampleErrors.map(({ message }) => message);
    expect(new Set(messages).size).toBe(messages.length);
  });

  test('the error catalogue has a hint for each error that says what to do next', () => {
    const next =
      /\b(add|ask|check|choose|compare|create|delete|fix|get|inspect|install|join|list|omit|pin|read|renew|report|restore|run|see|set|undo|use|wait|kubeadm|kubectl|journalctl|systemctl|rm)\b|--[a-z]/i;
    for (const { code, hint } of sampleErrors) {
      expect(hint, code).toMatch(next);
      expect(hint, code).not.toMatch(/[:,;]$/);
      expect(hint.length, code).toBeGreaterThan(20);
    }
  });

  test('the error catalogue allows retries only of errors that may go away by themselves', () => {
    expect(
      sampleErrors
        .filter(({ transient }) => transient)
        .map(({ code }) => code)
        .sort(),
    ).toEqual([
      'E_API_ANSWER',
      'E_API_UNAVAILABLE',
      'E_API_UNREACHABLE',
      'E_CONTROL_PLANE_BUSY',
      'E_CRI_UNREACHABLE',
      'E_CSR_GONE',
      'E_ETCD_ENDPOINTS',
      'E_ETCD_MEMBER',
      'E_ETCD_REFUSED',
      'E_ETCD_UNHEALTHY',
      'E_ETCD_UNREACHABLE',
      'E_FLEET_NODE',
      'E_FLEET_UNREACHABLE',
      'E_HTTP_ANSWER',
      'E_HTTP_UNREACHABLE',
      'E_TOKEN_UNKNOWN',
    ]);
  });

  test('the error catalogue shows no secret, even if a secret is passed as a fact by mistake', () => {
    const disguised = (value: unknown): unknown => {
      if (typeof value === 'string') return new Secret(CANARY);
      if (Array.isArray(value)) return value.map(disguised);
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, disguised(inner)]));
      return value;
    };
    for (const code of errorCodes) {
      const error = sampleError(code, disguised(samples[code]) as object);
      expect(printedForms(error) + error.hint, code).not.toContain(CANARY);
    }
  });

  test('the error catalogue has no fact whose name stands for a secret', () => {
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
  ])('the text of the error %s depends on its facts: %j', (code, facts, message) => {
    expect(sampleError(code, facts).message).toBe(message);
  });

  test.each([
    [404, 'kubeadm init phase bootstrap-token'],
    [403, 'Public access may have been disabled'],
  ])('E_CLUSTER_INFO_MISSING at %i hints at the reason', (status, text) => {
    expect(sampleError('E_CLUSTER_INFO_MISSING', { server, status }).hint).toContain(text);
  });

  test.each([
    [404, 'answers HTTP 404 for ConfigMap kube-public/cluster-info'],
    [401, 'does not allow anonymous clients'],
  ])('E_CLUSTER_INFO_MISSING at %i says what the server answered', (status, text) => {
    expect(sampleError('E_CLUSTER_INFO_MISSING', { server, status }).message).toContain(text);
  });
});

describe('a JoinError', () => {
  test('a JoinError is recognized by its mark, whichever copy of the class it comes from', () => {
    const copy = Object.assign(new Error('x'), { [Symbol.for('joinery.error')]: true });
    expect(
      [sampleError('E_FILE'), copy, new Error('x'), { code: 'E_FILE' }, undefined, 'E_FILE'].map(isJoinError),
    ).toEqual([true, true, false, false, false, false]);
  });

  test('an error keeps its cause, and has no cause if none was passed', () => {
    const cause = new Error('why');
    expect(fail('E_FILE', samples.E_FILE, cause).cause).toBe(cause);
    expect('cause' in sampleError('E_FILE')).toBe(false);
  });

  test('a JoinError of a plugin that says nothing ends as one problem of the machine', () => {
    const own = { code: 'E_ACME', message: 'm', hint: 'h' } as const;
    expect(JoinError.own(own)).toMatchObject({ ...own, exitCode: EXIT.machine, transient: false, facts: {} });
    expect(JoinError.own({ ...own, exitCode: 42, transient: true })).toMatchObject({ exitCode: 42, transient: true });
    expect(isJoinError(JoinError.own(own))).toBe(true);
  });
});
