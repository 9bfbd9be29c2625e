/** Checks whether this machine can become a control plane of that cluster, before anything is sent or written. */
import { controlPlaneSettings, ignoreRule, kubeletIdentity } from '../../engine/node/index.ts';
import { type CheckResult, definePhase, fail } from '../../engine/sdk/index.ts';
import { checksFor } from './checks.ts';
import { input, output } from './schema.ts';
import { assertSharedCertificates } from './shared-certificates.ts';

export default definePhase({
  name: 'preflight-control-plane',
  summary: 'Check that this machine can become a control plane of the cluster',
  input,
  output,
  effects: [],

  async run({ files, services, web, log }, { identity, nodeName, certificateKey, certificatesDir, ...inputs }) {
    const isIgnored = ignoreRule(inputs.ignorePreflightErrors, inputs.ignoreChecksErrors);
    const settings = controlPlaneSettings(inputs.clusterConfiguration);
    if (certificateKey === undefined)
      await assertSharedCertificates({ files, log }, settings, { directory: certificatesDir, verified: identity.ca });
    const joinedBefore = (await kubeletIdentity(files))?.nodeName === nodeName;
    const checks = checksFor(
      {
        files,
        services,
        web,
        joinedBefore,
        downloads: certificateKey !== undefined,
        kubeletVersion: inputs.kubeletVersion,
      },
      settings,
      inputs.bindPort,
    );
    const failed: CheckResult[] = [];
    for (const { name, severity, hint, run } of checks) {
      const evidence = await run();
      if (evidence === undefined) continue;
      const result = severity === 'error' && isIgnored(name) ? 'ignored' : severity;
      if (result !== 'error') log.warn(`[${name}] ${evidence} → ${hint}`);
      failed.push({ check: name, result, evidence, hint });
    }
    if (failed.some(({ result }) => result === 'error')) throw fail('E_PREFLIGHT', { checks: failed });
    log.info(`${checks.length - failed.length} checks passed`);
    return {};
  },
});
