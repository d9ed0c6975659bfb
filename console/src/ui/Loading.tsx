import { useEffect, useState } from "preact/hooks";
import { classes } from "./classes";
import styles from "./Loading.module.css";

const PATIENCE = 300;

/** Answers true once something has lasted for longer than people notice (300 ms). */
export function useLasting(active: boolean, patience = PATIENCE): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!active) return;
    const timer = setTimeout(() => setLasting(true), patience);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [active, patience]);
  return active && lasting;
}

type LoadingProps = {
  label: string;
  shape?: "text" | "rows" | "cards";
  /** How many lines, rows or cards. */
  count?: number;
};

/** Shows nothing for 300 ms, and then the outline of what is on its way. */
export function Loading({ label, shape = "rows", count = 4 }: LoadingProps) {
  const lasting = useLasting(true);
  if (!lasting) return null;
  return (
    <div role="status" class={classes(styles.loading, styles[shape])}>
      <span class="visually-hidden">{label}</span>
      {Array.from({ length: count }, (_, index) => (
        <span key={index} class={styles.outline} />
      ))}
    </div>
  );
}
