/** Keys that work everywhere on the page, except while the user types. `dialogs.tsx` lists them. */
import { useEffect } from 'preact/hooks';

interface Keys {
  onKeys: () => void;
  onClose: () => void;
  /** To the next host that needs help, or with -1 to the previous one. */
  onNext: (step: 1 | -1) => void;
}

export function useKeys({ onKeys, onClose, onNext }: Keys): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey } = event;
      if (ctrlKey || metaKey || altKey || document.querySelector('dialog[open]') !== null) return;
      const isTyping = event.target instanceof HTMLInputElement;
      if (isTyping && key === 'Escape') (event.target as HTMLInputElement).blur();
      else if (isTyping) return;
      else if (key === 'Escape') onClose();
      else if (key === '?') onKeys();
      else if (key === '/') document.querySelector<HTMLElement>('#filter')?.focus();
      else if (key === 'h') document.querySelector<HTMLElement>('.hosts [tabindex="0"]')?.focus();
      else if (key === 'n') onNext(1);
      else if (key === 'N') onNext(-1);
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [onKeys, onClose, onNext]);
}
