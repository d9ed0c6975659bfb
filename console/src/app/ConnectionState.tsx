import { useSignalEffect } from "@preact/signals";
import { useState } from "preact/hooks";
import { caughtUpAt, connection } from "../api/connection";
import { useMessages } from "../i18n/messages";
import { classes } from "../ui/classes";
import styles from "./ConnectionState.module.css";

const CAUGHT_UP_SHOWN = 5_000;

/** Says whether what the page shows is live, on its way back, or has just caught up. */
export function ConnectionState() {
  const m = useMessages();
  const state = connection.value;
  const [caughtUp, setCaughtUp] = useState(false);
  useSignalEffect(() => {
    const back = caughtUpAt.value;
    if (back === null || Date.now() - back > CAUGHT_UP_SHOWN) return;
    setCaughtUp(true);
    const timer = setTimeout(() => setCaughtUp(false), CAUGHT_UP_SHOWN);
    return () => clearTimeout(timer);
  });
  const shown = state === "live" && caughtUp ? "caughtUp" : state;
  return (
    <div role="status" class={classes(styles.state, styles[shown])}>
      {shown !== "idle" && <span>{m.shell.connection[shown]}</span>}
    </div>
  );
}
