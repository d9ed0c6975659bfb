import { caughtUpAt, connection } from "../api/connection";
import { useMessages } from "../i18n/messages";
import { classes } from "../ui/classes";
import { now } from "../ui/clock";
import styles from "./ConnectionLine.module.css";
import { type CatchUp, toldCatchUp } from "./catchUp";

/** Says whether what is shown is live, and after a gap how much came meanwhile. */
export function ConnectionLine({ live, catchUp }: { live: boolean; catchUp: CatchUp | null }) {
  const m = useMessages();
  const state = connection.value;
  const told = toldCatchUp(catchUp, caughtUpAt.value, state, now.value);
  const down = state === "reconnecting";
  return (
    <p class={styles.line} role="status" data-state={down ? "reconnecting" : live ? "live" : "connecting"}>
      <span class={classes(styles.dot, down ? styles.down : live && styles.live)} aria-hidden="true" />
      {down ? m.card.reconnecting : told ? tell(told, m.card) : live ? m.card.live : m.card.connecting}
    </p>
  );
}

function tell(
  { changes, anew }: CatchUp,
  m: { caughtUp: (n: number) => string; caughtUpAnew: string },
): string {
  return anew ? m.caughtUpAnew : m.caughtUp(changes);
}
