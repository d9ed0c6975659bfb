import { useMessages } from "../i18n/messages";
import { WarningIcon } from "../ui/icons";
import styles from "./ExpiredBar.module.css";
import { TokenForm } from "./TokenForm";

/** Asks for a new token above a page that waits for it; nothing that was typed below is lost. */
export function ExpiredBar() {
  const m = useMessages();
  return (
    <section class={styles.bar} aria-label={m.session.expiredTitle}>
      <div class={styles.text} role="alert">
        <WarningIcon />
        <p>
          <strong>{m.session.expiredTitle}.</strong> {m.session.expiredText}
        </p>
      </div>
      {/* In another program's page, that page hands it over. */}
      {parent === window && <TokenForm submit={m.session.goOn} inline />}
    </section>
  );
}
