/** `join plan`: what `join run` would do, with nothing changed. */
import { runCommand } from './run.ts';

export function planCommand(root: string) {
  return class Plan extends runCommand(root) {
    static override summary = 'Show what a run would change, file by file';
    static override description =
      'Takes what join run takes. Reads are real, the API server checks each write, and nothing is changed.';
    static override examples = [
      '<%= config.bin %> plan 10.0.0.1:6443 --token … --discovery-token-ca-cert-hash sha256:… --env bare-metal',
    ];

    protected override readonly isPlan: boolean = true;
  };
}
