/**
 * The secrets of one journal. Records only hold their names; the store keeps them where they do not outlive the run.
 */

import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import type { Secret } from '../sdk/secret.ts';
import type { JournalStore } from './journal-store.ts';
import { withoutSecrets, withSecretsBack } from './secrets.ts';

/** NAME_MAX of Linux, without the ending of a temporary file. */
const NAME_LENGTH_MAX = 240;

export class JournalSecrets {
  readonly #secrets: Map<string, Secret>;
  readonly #unsaved = new Set<string>();

  constructor(secrets: Map<string, Secret>) {
    this.#secrets = secrets;
  }

  get(name: string): Secret | undefined {
    return this.#secrets.get(name);
  }

  /** Each input keeps its own name, because a resumed run may replace the value of only one. */
  hideInputs(inputs: unknown): unknown {
    return withoutSecrets(inputs, 'input', (name, secret) => this.set(name, secret));
  }

  /** A secret that is already known keeps its name. */
  hide(value: unknown, prefix: string): unknown {
    return withoutSecrets(value, prefix, (name, secret) => {
      for (const [known, other] of this.#secrets) if (other.reveal() === secret.reveal()) return known;
      return this.set(name, secret);
    });
  }

  /** `value` with its secrets, and the names of those that no longer exist. */
  reveal(value: unknown): { value: unknown; missing: string[] } {
    return withSecretsBack(value, (name) => this.#secrets.get(name));
  }

  set(name: string, secret: Secret): string {
    if (this.#secrets.get(name)?.reveal() !== secret.reveal()) {
      requireFile(name, secret);
      this.#secrets.set(name, secret);
      this.#unsaved.add(name);
    }
    return name;
  }

  async save(store: JournalStore): Promise<void> {
    for (const name of this.#unsaved) {
      const secret = this.#secrets.get(name);
      if (secret !== undefined) await store.saveSecret(name, secret);
      this.#unsaved.delete(name);
    }
  }
}

/** E_JOURNAL_LIMIT if the secret would not fit into a file of this name, or could not be read back. */
function requireFile(name: string, secret: Secret): void {
  const refuse = (what: string) => fail('E_JOURNAL_LIMIT', { record: `the secret ${name.slice(0, 80)}`, what });
  const bytes = Buffer.byteLength(secret.reveal());
  if (bytes > LIMITS.file) throw refuse(`it has ${bytes} bytes (maximum ${LIMITS.file})`);
  if (name.length > NAME_LENGTH_MAX)
    throw refuse(`its name has ${name.length} characters (maximum ${NAME_LENGTH_MAX})`);
}
