import { Button } from "./Button";
import { classes } from "./classes";
import { IconButton } from "./IconButton";
import { CloseIcon, UndoIcon } from "./icons";
import styles from "./Toasts.module.css";
import { dismissToast, hold, letGo, type Toast, toasts } from "./toast";

/** Shows what `showToast` tells, in a corner, and reads it out politely. */
export function Toasts({ label, closeLabel }: { label: string; closeLabel: string }) {
  return (
    <section class={styles.toasts} aria-label={label}>
      <div role="status" class={styles.list}>
        {toasts.value.map((toast) => (
          <ToastCard key={toast.id} toast={toast} closeLabel={closeLabel} />
        ))}
      </div>
    </section>
  );
}

function ToastCard({ toast, closeLabel }: { toast: Toast; closeLabel: string }) {
  const undo = () => {
    dismissToast(toast.id);
    toast.undo?.run();
  };
  return (
    <div
      class={classes(styles.toast, toast.tone === "negative" && styles.negative)}
      onPointerEnter={() => hold(toast.id)}
      onPointerLeave={() => letGo(toast)}
      onFocusIn={() => hold(toast.id)}
      onFocusOut={() => letGo(toast)}
    >
      <span class={styles.text}>{toast.text}</span>
      {toast.undo && (
        <Button size="small" icon={<UndoIcon size={14} />} onClick={undo}>
          {toast.undo.label}
        </Button>
      )}
      <IconButton
        size="small"
        label={closeLabel}
        icon={<CloseIcon size={14} />}
        onClick={() => dismissToast(toast.id)}
      />
    </div>
  );
}
