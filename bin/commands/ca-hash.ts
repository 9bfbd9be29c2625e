/** `join ca-hash`: what `--discovery-token-ca-cert-hash` takes. */
import { Args } from '@oclif/core';
import { clean, fail } from '../../engine/sdk/index.ts';
import { caCertificates } from '../../engine/tokens/ca-hash.ts';
import { JoinCommand } from '../command.ts';
import { readText } from '../sources.ts';

export class CaHash extends JoinCommand {
  static override summary = "Print the hash of a CA's public key, as --discovery-token-ca-cert-hash takes it";
  static override description =
    'One line for each certificate of a PEM bundle, or of the CA in a kubeconfig. Keys may be RSA, ECDSA or others.';
  static override examples = [
    '<%= config.bin %> ca-hash /etc/kubernetes/pki/ca.crt',
    '<%= config.bin %> ca-hash ~/.kube/config',
    'ssh cp1 cat /etc/kubernetes/pki/ca.crt | <%= config.bin %> ca-hash -',
  ];
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'PEM or kubeconfig; -: standard input' }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(CaHash);
    const file = args.file === '-' ? 'standard input' : args.file;
    const certificates = await readText(args.file)
      .then(caCertificates)
      .catch((error: Error) => {
        throw fail('E_CA_HASH', { file, what: clean(error.message) }, error);
      });
    for (const { pin, x509, commonName } of certificates) {
      if (!x509.ca) process.stderr.write(`! ${clean(commonName)} is no CA: nothing can be joined by its hash\n`);
      this.log(pin);
    }
  }
}
