import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { classes } from "./classes";
import styles from "./Dialog.module.css";
import { IconButton } from "./IconButton";
import { CloseIcon } from "./icons";
import { useModal } from "./useModal";

type DialogProps = {
  open: boolean;
  title: ComponentChildren;
  /** Says what the cross does. */
  closeLabel: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons at the bottom, the one that does it last. */
  footer?: ComponentChildren;
  /** Makes the dialog a form, so that Enter does what the footer's submit button does. */
  onSubmit?: () => void;
  size?: "normal" | "wide";
};

/** Asks or shows one thing above the page. */
export function Dialog(props: DialogProps) {
  return props.open ? <OpenDialog {...props} /> : null;
}

/** Shows more about something at the side of the page, above it. */
export function Drawer(props: DialogProps) {
  return props.open ? <OpenDialog {...props} drawer /> : null;
}

function OpenDialog(props: DialogProps & { drawer?: boolean }) {
  const { title, closeLabel, onClose, children, footer, onSubmit, size, drawer } = props;
  const ref = useModal(onClose);
  const titleId = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit?.();
  };
  const inside = (
    <>
      <div class={styles.body}>{children}</div>
      {footer && <footer class={styles.footer}>{footer}</footer>}
    </>
  );
  return (
    <dialog
      ref={ref}
      class={classes(styles.dialog, drawer && styles.drawer, size === "wide" && styles.wide)}
      aria-labelledby={titleId}
    >
      <header class={styles.header}>
        <h2 id={titleId}>{title}</h2>
        <IconButton label={closeLabel} icon={<CloseIcon />} onClick={onClose} />
      </header>
      {onSubmit ? (
        <form class={styles.inside} onSubmit={submit} noValidate>
          {inside}
        </form>
      ) : (
        <div class={styles.inside}>{inside}</div>
      )}
    </dialog>
  );
}
