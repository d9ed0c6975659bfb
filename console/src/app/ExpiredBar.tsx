import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { useMessages } from "../i18n/messages";
import { WarningIcon } from "../ui/icons";
import { openModals } from "../ui/useModal";
import styles from "./ExpiredBar.module.css";
import { TokenForm } from "./TokenForm";

/** Asks for a new token above a page that waits for it; nothing that was typed below is lost. */
export function ExpiredBar() {
  const m = useMessages();
  const ref = useRef<HTMLDialogElement>(null);
  const show = () => {
    const bar = ref.current;
    if (!bar) return;
    bar.close();
    // A dialog makes all that is outside of it inert, but for a dialog that is opened later.
    if (openModals.value > 0) bar.showModal();
    // Without the focus, which stays where somebody types.
    else bar.open = true;
  };
  useSignalEffect(show);
  return (
    <dialog
      ref={ref}
      class={styles.bar}
      aria-label={m.session.expiredTitle}
      onCancel={(event) => event.preventDefault()}
      onClose={() => !ref.current?.open && show()}
    >
      <div class={styles.text} role="alert">
        <WarningIcon />
        <p>
          <strong>{m.session.expiredTitle}.</strong> {m.session.expiredText}
        </p>
      </div>
      {/* In another program's page, that page hands it over. */}
      {parent === window && <TokenForm submit={m.session.goOn} inline />}
    </dialog>
  );
}
