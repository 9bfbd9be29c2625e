/**
 * Checks whether this machine can join. All checks run in parallel, without the cluster, and all problems are reported.
 */
import { ignoreRule, installedKubelet, kubeletIdentity } from '../../engine/node/index.ts';
import { definePhase, fail, runs } from '../../engine/sdk/index.ts';
import { holdsFor, resultsOf } from './check.ts';
import { checksFor } from './checks.ts';
import { dockerInfo } from './docker.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'preflight',
  summary: 'Check that this machine can join',
  input,
  output,
  effects: [
    runs('kubelet', 'its version'),
    runs('timeout', 'getent, for at most 1 s: whether the node name resolves'),
    runs('docker', 'its version and drivers, if it is the container runtime'),
  ],

  async run({ files, services, commands, runtime, web, log, signal }, inputs) {
    const isIgnored = ignoreRule(inputs.ignorePreflightErrors, inputs.ignoreChecksErrors);
    const joinedBefore = kubeletIdentity(files).then((held) => held?.nodeName === inputs.nodeName);
    const kubeletVersion = once(() => installedKubelet(commands));
    const docker = once(() => dockerInfo(commands));
    const machine = { files, services, commands, runtime, web, joinedBefore, kubeletVersion, docker };
    const context = { ...machine, inputs, holds: holdsFor(kubeletVersion) };
    const checks = checksFor(inputs).filter(({ applies }) => applies !== false);
    const results = (await Promise.all(checks.map((check) => resultsOf(check, context, isIgnored, signal)))).flat();
    for (const { check, result, evidence, hint } of results)
      if (result === 'warning' || result === 'ignored') log.warn(`[${check}] ${evidence} → ${hint}`);
    if (results.some(({ result }) => result === 'error')) throw fail('E_PREFLIGHT', { checks: results });
    const passed = results.filter(({ result }) => result === 'ok').length;
    log.info(`${passed} check${passed === 1 ? '' : 's'} passed`);
    return { checks: results };
  },
});

/** Runs `query` on the first call only, and returns its result on every call. */
function once<T>(query: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= query();
    return result;
  };
}
