import { describe, expect, test } from 'vitest';
import type { Wait } from '../../engine/host/host.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { paths } from '../../engine/node/index.ts';
import { fail, isSecret } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import kubeletWaitBootstrap from '../../phases/kubelet-wait-bootstrap/index.ts';
import { authority, DAY_MS, issue, NOW, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { thrownBy } from '../helpers/errors.ts';
import { portsOn } from '../helpers/machine.ts';
import { glimpseOf, heldIdentity, kubeletConf } from '../helpers/node.ts';

const ca = authority();
const own = issue(ca);
const input = { nodeName: 'w1', tlsBootstrapMode: 'kubelet' };
const held = heldIdentity(SERVER, ca.pem, own);
const asked = { ...held, [paths.bootstrapKubeletConf]: 'the token' };
const REMOVED = { kind: 'remove', path: paths.bootstrapKubeletConf };

itKeepsThePhaseContract(kubeletWaitBootstrap, {
  input,
  machine: () => ({ now: () => NOW, files: asked }),
  secrets: [glimpseOf(own.keyPem)],
});

/** A machine on which the kubelet leaves one state after the other at the paths that are waited for. */
function following(states: Record<string, string>[], files: Record<string, string> = {}) {
  const waited: string[] = [];
  const wait = async (condition: Wait): Promise<unknown> => {
    if (condition.kind !== 'file') throw new Error('waits for a file');
    waited.push(condition.path);
    for (const state of states) {
      const text = state[condition.path];
      const content = text === undefined ? undefined : Buffer.from(text);
      if (condition.done(content)) return content;
    }
    throw new Error('would wait forever');
  };
  return { waited, host: memoryHost({ now: () => NOW, files, wait }) };
}
const outputsOf = async (...args: Parameters<typeof runPhase>) => {
  const { error, changes, result } = await runPhase(...args);
  const outputs = result.steps[0]?.outputs as { certificate: string; key: unknown } | undefined;
  return { error, changes, outputs, notes: result.steps[0]?.notes };
};

describe('kubelet-wait-bootstrap', () => {
  test('kubelet-wait-bootstrap outputs certificate and key, and deletes the bootstrap credentials', async () => {
    const { error, changes, outputs, notes } = await outputsOf(
      kubeletWaitBootstrap,
      input,
      memoryHost({ now: () => NOW, files: asked }),
    );
    expect([error, changes]).toEqual([undefined, [REMOVED]]);
    expect(outputs?.certificate).toBe(own.pem);
    expect(isSecret(outputs?.key) && outputs.key.reveal()).toBe(own.keyPem);
    expect(notes).toEqual([{ level: 'info', text: 'the kubelet has its certificate, valid until 2027-03-04' }]);
  });

  test('kubelet-wait-bootstrap waits for the certificate and then for the kubeconfig', async () => {
    const { [paths.kubeletCurrentPem]: pem = '' } = held;
    const conf = { [paths.kubeletConf]: kubeletConf(SERVER, ca.pem) };
    const { host, waited } = following([{}, conf, { ...conf, [paths.kubeletCurrentPem]: pem }]);
    const { error, outputs } = await outputsOf(kubeletWaitBootstrap, input, host);
    expect([error, outputs?.certificate]).toEqual([undefined, own.pem]);
    expect(waited).toEqual([paths.kubeletCurrentPem, paths.kubeletConf]);
  });

  test.each([
    ['of another node', issue(ca, { user: 'system:node:w2' })],
    ['of another user', issue(ca, { user: 'other' })],
    ['that has expired', issue(ca, { notAfter: new Date(NOW.getTime() - DAY_MS / 2) })],
    ['without its key', { pem: own.pem, keyPem: '' }],
    ['with the key of another one', { pem: own.pem, keyPem: issue(ca).keyPem }],
    ['that is broken', { pem: 'text', keyPem: own.keyPem }],
  ])('kubelet-wait-bootstrap does not accept a certificate %s, and keeps the token', async (_, other) => {
    const { host } = following([{ ...held, [paths.kubeletCurrentPem]: other.pem + other.keyPem }]);
    const { error, changes } = await outputsOf(kubeletWaitBootstrap, input, host);
    expect([error, changes]).toEqual([new Error('would wait forever'), []]);
  });

  test('kubelet-wait-bootstrap reports a timeout with a hint', async () => {
    const stopped = new AbortController();
    const host = memoryHost({
      now: () => NOW,
      wait: async () => {
        stopped.abort(fail('E_STEP_TIME_LIMIT', { step: 'a', limitMs: 1 }));
        throw stopped.signal.reason;
      },
    });
    const { ports } = portsOn(host, kubeletWaitBootstrap.effects, { signal: stopped.signal });
    const error = await thrownBy(() =>
      kubeletWaitBootstrap.run(ports, { nodeName: 'w1', tlsBootstrapMode: 'kubelet' }),
    );
    expect(error).toMatchObject({
      code: 'E_KUBELET_BOOTSTRAP',
      facts: { node: 'w1', lastLine: '(its log is empty)' },
      exitCode: 7,
      hint: expect.stringContaining('kubectl get csr'),
    });
  });

  test('kubelet-wait-bootstrap leaves the outputs undecided in a dry run', async () => {
    const inner = memoryHost({ now: () => NOW });
    const { result, error } = await runPhase(kubeletWaitBootstrap, input, recordingHost(inner));
    expect([result.steps[0]?.status, error, inner.changes]).toEqual(['undecided', undefined, []]);
  });
});

describe('kubelet-wait-bootstrap in mode direct', () => {
  test('kubelet-wait-bootstrap only outputs the identity, and deletes nothing', async () => {
    const host = memoryHost({ now: () => NOW, files: asked });
    const { error, changes, outputs, notes } = await outputsOf(kubeletWaitBootstrap, { nodeName: 'w1' }, host);
    expect([error, changes, notes, outputs?.certificate]).toEqual([undefined, [], [], own.pem]);
  });
});
