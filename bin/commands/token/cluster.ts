/** The cluster of the token commands: the kubeconfig, and a connection with it. */
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { Flags } from '@oclif/core';
import { type Admin, readAdmin } from '../../../engine/kube/admin.ts';
import { Transport } from '../../../engine/kube/request.ts';
import { paths } from '../../../engine/node/index.ts';
import type { ApiAnswer, ApiRequest } from '../../../engine/sdk/api.ts';
import { Tokens } from '../../../engine/tokens/tokens.ts';
import { readText } from '../../inputs/read-text.ts';

export const kubeconfigFlag = Flags.string({
  helpValue: 'FILE',
  description: `Kubeconfig of an admin (default $KUBECONFIG, or ${paths.adminConf})`,
});

export const withTokens = <T>(kubeconfig: string | undefined, act: (tokens: Tokens) => Promise<T>): Promise<T> =>
  withAdmin(kubeconfig, (admin, send) => act(new Tokens(admin, send)));

type Send = (request: ApiRequest) => Promise<ApiAnswer>;

export async function withAdmin<T>(
  kubeconfig: string | undefined,
  act: (admin: Admin, send: Send) => Promise<T>,
): Promise<T> {
  const admin = await readAdmin(kubeconfig ?? kubeconfigFile(), readText);
  const transport = new Transport(() => new Date());
  const { signal } = new AbortController(); // never aborted: each request has its own time limits
  try {
    return await act(admin, (request) => transport.send(request, signal));
  } finally {
    await transport.close();
  }
}

/** The first existing file in $KUBECONFIG, as in kubeadm. */
function kubeconfigFile(): string {
  const files = (process.env.KUBECONFIG ?? '').split(delimiter).filter(Boolean);
  return files.find((file) => existsSync(file)) ?? files[0] ?? paths.adminConf;
}
