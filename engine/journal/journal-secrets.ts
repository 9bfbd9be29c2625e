/**
 * The secrets of one journal. Records only hold their names; the store keeps them where they do not outlive the run.
 */
import type { Secret } from '../sdk/secret.ts';
import type { JournalStore } from './journal-store.ts';
import { withoutSecrets, withSecretsBack } from './secrets.ts';

export class JournalSecrets {
  readonly #secrets: Map<string, Secret>;
  readonly #unsaved = new Set<string>();

  constructor(secrets: Map<string, Secret>) {
    this.#secrets = secrets;
  }

  get(name: string): Secret | undefined {
    return this.#secrets.get(name);
  }

  /** Each input keeps its own name, because a resumed run may replace the value of a single one. */
  hideInputs(inputs: unknown): unknown {
    return withoutSecrets(inputs, 'input', (name, secret) => this.set(name, secret));
  }

  /** A secret that is known already keeps its name. */
  hide(value: unknown, prefix: string): unknown {
    return withoutSecrets(value, prefix, (name, secret) => {
      for (const [known, other] of this.#secrets) if (other.reveal() === secret.reveal()) return known;
      return this.set(name, secret);
    });
  }

  /** `value` with its secrets, and the names of those that are gone. */
  reveal(value: unknown): { value: unknown; missing: string[] } {
    return withSecretsBack(value, (name) => this.#secrets.get(name));
  }

  set(name: string, secret: Secret): string {
    if (this.#secrets.get(name)?.reveal() !== secret.reveal()) {
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
