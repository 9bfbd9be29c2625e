/** A journal that ends with the process, for dry runs and tests. */
import type { JournalStore } from './journal.ts';

export function memoryStore(): JournalStore {
  const images = new Map<number, Buffer>();
  return {
    append: async () => undefined,
    saveImage: async (number, bytes) => void images.set(number, bytes),
    image: async (number) => images.get(number),
    original: () => undefined,
    deleteImages: async () => images.clear(),
    saveSecret: async () => undefined,
    deleteSecrets: async () => undefined,
    prepareAnswer: async () => undefined,
    discardAnswer: async () => undefined,
    close: async () => undefined,
  };
}
