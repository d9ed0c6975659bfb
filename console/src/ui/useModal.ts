import { signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** How many dialogs are open, one above the other. */
export const openModals = signal(0);

/**
 * Show a `<dialog>` as a modal while its component is there, and give the focus back afterwards.
 *
 * Escape asks `onClose`; a click beside the dialog does nothing, so that nothing typed is lost.
 */
export function useModal(onClose: () => void): RefObject<HTMLDialogElement | null> {
  const ref = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    openModals.value += 1;
    if (dialog && !dialog.querySelector("[autofocus]")) firstToAnswer(dialog)?.focus();
    return () => {
      dialog?.close();
      openModals.value -= 1;
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    const dialog = ref.current;
    const cancel = (event: Event) => {
      if (event.target !== dialog) return;
      event.preventDefault();
      close.current();
    };
    dialog?.addEventListener("cancel", cancel);
    return () => dialog?.removeEventListener("cancel", cancel);
  }, []);
  return ref;
}

/** The first input, or else the first button at the bottom, which does the least. */
function firstToAnswer(dialog: HTMLElement): HTMLElement | null {
  return (
    dialog.querySelector<HTMLElement>(":is(input, select, textarea):not(:disabled, [type=hidden])") ??
    dialog.querySelector<HTMLElement>("footer :is(button, a)")
  );
}
