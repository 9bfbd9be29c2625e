/** What the token commands share: whose kubeconfig is used, and a connection with it. */
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { Flags } from '@oclif/core';
import { readAdmin } from '../engine/kube/admin.ts';
import { Transport } from '../engine/kube/request.ts';
import { paths } from '../engine/node/index.ts';
import { Tokens } from '../engine/tokens/tokens.ts';
import { readText } from './sources.ts';

export const kubeconfigFlag = Flags.string({
  helpValue: 'FILE',
  description: `Who we are to the cluster, by its current-context. Left out: $KUBECONFIG, else ${paths.adminConf}`,
});

export async function withTokens<T>(kubeconfig: string | undefined, act: (tokens: Tokens) => Promise<T>): Promise<T> {
  const admin = await readAdmin(kubeconfig ?? kubeconfigFile(), readText);
  const transport = new Transport(() => new Date());
  const { signal } = new AbortController(); // never: every request has time limits of its own
  try {
    return await act(new Tokens(admin, (request) => transport.send(request, signal)));
  } finally {
    await transport.close();
  }
}

/** Of several files in $KUBECONFIG the first that is there, as kubeadm has it. */
function kubeconfigFile(): string {
  const listed = (process.env.KUBECONFIG ?? '').split(delimiter).filter(Boolean);
  return listed.find((file) => existsSync(file)) ?? listed[0] ?? paths.adminConf;
}
