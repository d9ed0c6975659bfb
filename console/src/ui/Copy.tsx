import { useEffect, useState } from "preact/hooks";
import { Button } from "./Button";
import styles from "./Copy.module.css";
import { CheckIcon, CopyIcon } from "./icons";

type CopyProps = {
  text: string;
  label: string;
  copiedLabel: string;
  /** Shows the text beside the button, to be selected where the clipboard is closed. */
  show?: boolean;
};

/** Copies a text, and says so on the button. */
export function Copy({ text, label, copiedLabel, show }: CopyProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <span class={styles.copy}>
      {show && <code class={styles.text}>{text}</code>}
      <Button size="small" icon={copied ? <CheckIcon size={14} /> : <CopyIcon size={14} />} onClick={copy}>
        <span aria-live="polite">{copied ? copiedLabel : label}</span>
      </Button>
    </span>
  );
}
