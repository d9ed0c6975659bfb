import { useEffect } from "preact/hooks";
import { useMessages } from "../i18n/messages";
import { nameWindow } from "../ui/title";
import { Preferences } from "./Preferences";
import { pageSettings } from "./pageSettings";
import styles from "./SignInPage.module.css";
import { TokenForm } from "./TokenForm";

/** Whether a page stands behind this one that may hand a token over. */
const mayBeHandedOver = pageSettings.embedOrigins.length > 0 && (parent !== window || opener !== null);

/** Lets somebody in who has a token, and says where one comes from. */
export function SignInPage({ refused = false }: { refused?: boolean }) {
  const m = useMessages();
  useEffect(() => nameWindow(m.session.heading), [m]);
  return (
    <main class={styles.page}>
      <div class={styles.card}>
        <p class={styles.site}>{m.shell.title}</p>
        <h1>{m.session.heading}</h1>
        <p class={styles.lead}>{m.session.lead}</p>
        <TokenForm
          key={String(refused)}
          submit={m.session.signIn}
          hint={m.session.tokenHint}
          error={refused ? m.session.refused : null}
        />
        {pageSettings.demo && <p class={styles.lead}>{m.session.demo}</p>}
        {mayBeHandedOver && <p class={styles.lead}>{m.session.waiting}</p>}
      </div>
      <Preferences />
    </main>
  );
}
