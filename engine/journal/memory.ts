/** A journal that is gone with the process: for dry runs and tests. */
import type { JournalStore } from './journal.ts';

export function memoryStore(): JournalStore {
  const images = new Map<number, Buffer>();
  return {
    append: async () => undefined,
    keepImage: async (number, bytes) => void images.set(number, bytes),
    image: async (number) => images.get(number),
    forgetImages: async () => images.clear(),
    keepSecret: async () => undefined,
    forgetSecrets: async () => undefined,
    prepareAnswer: async () => undefined,
    discardAnswer: async () => undefined,
    close: async () => undefined,
  };
}
