/** `join ca-hash`: prints the value of `--discovery-token-ca-cert-hash`. */
import { dirname, resolve } from 'node:path';
import { Args } from '@oclif/core';
import { reasonOf } from '../../engine/limits/errno.ts';
import { clean, fail } from '../../engine/sdk/index.ts';
import { caCertificates } from '../../engine/tokens/ca-hash.ts';
import { JoinCommand } from '../command.ts';
import { readText, readTextFile } from '../inputs/read-text.ts';

export class CaHash extends JoinCommand {
  static override summary = "Print the hash of a CA's public key, for --discovery-token-ca-cert-hash";
  static override description =
    'Prints one line for each certificate of a PEM bundle, or of the CA of a kubeconfig. Any type of key is supported.';
  static override examples = [
    '<%= config.bin %> ca-hash /etc/kubernetes/pki/ca.crt',
    '<%= config.bin %> ca-hash ~/.kube/config',
    'ssh cp1 cat /etc/kubernetes/pki/ca.crt | <%= config.bin %> ca-hash -',
  ];
  static override args = {
    file: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'PEM file or kubeconfig; - reads standard input',
    }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(CaHash);
    const file = args.file === '-' ? 'standard input' : args.file;
    const certificates = await readText(args.file)
      .then((text) => caCertificates(text, (path) => readTextFile(resolve(dirname(args.file), path))))
      .catch((error: Error) => {
        throw fail('E_CA_HASH', { file, what: clean(reasonOf(error)) }, error);
      });
    for (const { pin, x509, commonName } of certificates) {
      if (!x509.ca)
        process.stderr.write(`! ${clean(commonName)} is not a CA certificate; its hash cannot be used to join\n`);
      this.log(pin);
    }
  }
}
