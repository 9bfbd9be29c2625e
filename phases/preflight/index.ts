/** Whether this machine can join: every check is made, on the host alone and all at once, and all that is wrong is said. */
import { ignoreRule, installedKubelet, kubeletIdentity } from '../../engine/node/index.ts';
import { definePhase, fail, runs } from '../../engine/sdk/index.ts';
import { resultsOf } from './check.ts';
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
    runs('timeout', 'getent, for a second at most: whether the name of the node resolves'),
    runs('docker', 'where it is the container runtime: what it is'),
  ],

  async run({ files, services, commands, runtime, log, signal }, given) {
    const isIgnored = ignoreRule(given.ignorePreflightErrors, given.ignoreChecksErrors);
    const joinedBefore = kubeletIdentity(files).then((held) => held?.nodeName === given.nodeName);
    const kubeletVersion = once(() => installedKubelet(commands));
    const docker = once(() => dockerInfo(commands));
    const look = { files, services, commands, runtime, given, joinedBefore, kubeletVersion, docker };
    const checks = checksFor(given).filter(({ applies }) => applies !== false);
    const results = (await Promise.all(checks.map((check) => resultsOf(check, look, isIgnored, signal)))).flat();
    for (const { check, result, evidence, hint } of results)
      if (result === 'warning' || result === 'ignored') log.warn(`[${check}] ${evidence} → ${hint}`);
    if (results.some(({ result }) => result === 'error')) throw fail('E_PREFLIGHT', { checks: results });
    return { checks: results };
  },
});

/** What is asked for by some checks only, and then once. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}
