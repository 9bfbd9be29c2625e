/** `join certs upload`: stores the certificates that all control planes share in the cluster, encrypted. */
import { MachineFiles } from '../../../engine/host/files.ts';
import { generateSealKey } from '../../../engine/pki/index.ts';
import { Secret } from '../../../engine/sdk/index.ts';
import { readSettings, readShared, storeCertificates } from '../../../engine/tokens/certificates.ts';
import { timestamp } from '../../../engine/tokens/secret.ts';
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/common-flags.ts';
import { kubeconfigFlag, withAdmin } from '../token/cluster.ts';
import { certificateKeyFlag, certificateKeyOf } from './key.ts';

export class CertsUpload extends JoinCommand {
  static override summary = 'Store the certificates that control planes share in the cluster, for two hours';
  static override description =
    'Run it on a control plane. It prints the key that encrypts the certificates; the cluster does not know the key.';
  static override examples = [
    '<%= config.bin %> certs upload',
    '<%= config.bin %> certs upload > key; <%= config.bin %> token create --print-join-command --certificate-key @key',
  ];
  static override flags = {
    'certificate-key': certificateKeyFlag('Key that encrypts the certificates (default: a random one)'),
    kubeconfig: kubeconfigFlag,
    root: runFlags.root,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(CertsUpload);
    const key = certificateKeyOf(flags['certificate-key']) ?? new Secret(generateSealKey());
    await withAdmin(flags.kubeconfig, async (admin, send) => {
      const settings = await readSettings(admin, send);
      const files = new MachineFiles(flags.root);
      const shared = await readShared(settings, admin.ca, (path) => files.read(path));
      const expiresAt = await storeCertificates({ admin, send, key, shared, now: new Date() });
      for (const { dataKey, path, content } of shared)
        if (content === undefined)
          process.stderr.write(`${path} does not exist, so ${dataKey} is empty in the cluster\n`);
      process.stderr.write(`The cluster has the certificates until ${timestamp(expiresAt)}. This key decrypts them:\n`);
    });
    this.log(key.reveal());
  }
}
