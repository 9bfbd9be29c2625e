/** Whether this machine can join: every check is made, on the host alone, and all that is wrong is said at once. */
import { definePhase, EXIT, fail, JoinError, kubeletIdentity } from '../../engine/sdk/index.ts';
import { checks, type Finding } from './checks.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'preflight',
  summary: 'Check that this machine can join',
  input,
  output,
  effects: [],

  async run({ files, services, commands, log }, given) {
    const ignored = ignoreRule(given.ignorePreflightErrors ?? []);
    const { privileged, caCertPath, criSocket } = given;
    const joinedBefore = kubeletIdentity(files).then((held) => held?.nodeName === given.nodeName);
    const context = { files, services, commands, privileged, caCertPath, criSocket, joinedBefore };
    const found = (await Promise.all(checks.map((check) => check(context)))).flat();
    const isIgnored = ({ check }: Finding) => ignored.has('all') || ignored.has(check.toLowerCase());
    const errors = found.filter((finding) => finding.severity === 'error' && !isIgnored(finding));
    for (const finding of found) if (!errors.includes(finding)) log.warn(`[${finding.check}] ${finding.text}`);
    if (errors.length > 0) throw fail('E_PREFLIGHT', { failures: errors.map(({ check, text }) => ({ check, text })) });
    return {};
  },
});

/** kubeadm's rule: names in any case, `all` alone. */
function ignoreRule(names: readonly string[]): Set<string> {
  const lower = new Set(names.map((name) => name.trim().toLowerCase()));
  if (lower.has('all') && lower.size > 1)
    throw JoinError.own({
      code: 'E_PREFLIGHT_IGNORE',
      message: "'all' ignores every check, so no other check can be named beside it",
      hint: 'Write --ignore-preflight-errors=all, or only the names.',
      exitCode: EXIT.usage,
    });
  return lower;
}
