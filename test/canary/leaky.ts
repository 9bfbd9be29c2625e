/** A phase that leaks its secrets in every way that a phase can. */
import { fields, joiningIdentity, nodeRef } from '../../engine/node/index.ts';
import { apiCalls, definePhase, isJoinError, type KubeApi, runs, writes } from '../../engine/sdk/index.ts';

const { identity, key } = fields;

/** A phase may keep a secret in a file that it declares. */
export const LEAKY_FILE = '/etc/leaky';

export default definePhase({
  name: 'leaky',
  summary: 'Give secrets away',
  input: {
    type: 'object',
    properties: {
      identity,
      key,
      certificateKey: { type: 'string', writeOnly: true, description: 'What decrypts the control plane' },
      ends: { enum: ['well', 'badly'], description: 'How it ends' },
    },
    required: ['identity', 'key', 'certificateKey', 'ends'],
  },
  output: { type: 'object' },
  effects: [
    writes(LEAKY_FILE, 0o600, 'all its secrets, as plain text'),
    runs('crictl', 'with secrets for arguments'),
    apiCalls(['get'], 'nodes', 'by the name of a secret'),
  ],

  async run({ files, commands, kube, log }, input) {
    const { token } = input.identity;
    if (token === undefined) throw new Error('the token is missing');
    const secrets = [token, input.key, input.certificateKey].map((secret) => secret.reveal());
    for (const secret of secrets) {
      log.info(`it is ${secret}`);
      log.warn(Buffer.from(`secret: ${secret}`).toString('base64'));
    }
    await files.write(LEAKY_FILE, secrets.join('\n'), 0o600);
    await commands.query(['crictl', 'info']);
    const isRefused = await commands.query(['crictl', ...secrets]).then(
      () => false,
      (error) => isJoinError(error) && error.code === 'E_SECRET_SHOWN',
    );
    const api: KubeApi = kube.as(joiningIdentity(input.identity));
    if (!isRefused) for (const secret of secrets) await api.get(nodeRef(secret)).catch(() => undefined);
    if (input.ends === 'badly')
      throw new Error(`cannot do it with ${secrets.join()}`, {
        cause: Object.assign(new Error(secrets[0]), { secrets }),
      });
    return { plain: secrets, deep: { header: `Bearer ${secrets[0]}` } };
  },
});
