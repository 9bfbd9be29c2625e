/** Dialogs: what the keys do, and the question before an action that cannot be undone. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface ModalProps {
  label: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** The browser keeps the focus inside, and closes it with Escape. */
function Modal({ label, onClose, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-label={label} onClose={onClose}>
      {children}
    </dialog>
  );
}

const KEYS: readonly [keys: string, what: string][] = [
  ['/', 'Filter the hosts'],
  ['n, Shift+N', 'Open the next or the previous host that failed or waits for your approval'],
  ['h', 'Go to the hosts'],
  ['← ↑ → ↓, Home, End', 'Move between the hosts of a wave'],
  ['Enter', 'Open the host'],
  ['Esc', 'Close the host, or leave the filter'],
  ['?', 'Show these keys'],
];

export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal label="Keys" onClose={onClose}>
      <h2>Keys</h2>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="primary" onClick={onClose}>
        Close
      </button>
    </Modal>
  );
}

export interface Question {
  text: string;
  /** The label of the button. */
  verb: string;
  act: () => void;
}

export function QuestionDialog({ question, onClose }: { question: Question; onClose: () => void }) {
  return (
    <Modal label={question.verb} onClose={onClose}>
      <p>{question.text}</p>
      <div class="actions">
        <button
          type="button"
          class="primary"
          onClick={() => {
            onClose();
            question.act();
          }}
        >
          {question.verb}
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Modal>
  );
}
