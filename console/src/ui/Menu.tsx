import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { classes } from "./classes";
import { ChevronDownIcon } from "./icons";
import styles from "./Menu.module.css";

export type MenuItem = {
  key: string;
  label: ComponentChildren;
  icon?: ComponentChildren;
  danger?: boolean;
  /** The one of several that holds, as with languages. */
  checked?: boolean;
  /** Why it cannot be chosen; shown below it. */
  reason?: string | null | undefined;
} & ({ href: string } | { onSelect: () => void });

type MenuProps = {
  label: string;
  items: readonly MenuItem[];
  /** A picture, or what stands on the button; the label is its name then. */
  button: ComponentChildren;
  /** Leaves out the arrow, for a picture that says enough. */
  plain?: boolean;
  /** What stands above the list. */
  heading?: ComponentChildren;
  /** -1 where other keys lead to the button. */
  tabIndex?: number;
};

/** A button that opens a list of things to do, by mouse or arrow keys. */
export function Menu({ label, items, button, plain, heading, tabIndex = 0 }: MenuProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [, navigate] = useLocation();
  const choose = (item: MenuItem) => {
    if (item.reason) return;
    list.current?.hidePopover();
    opener.current?.focus();
    if ("href" in item) navigate(item.href);
    else item.onSelect();
  };
  const toggled = (event: Pick<ToggleEvent, "newState">) => {
    const opened = event.newState === "open";
    setOpen(opened);
    if (!opened) return;
    place(list.current, opener.current);
    const all = choices(list.current);
    (all.find((item) => item.ariaChecked === "true") ?? all[0])?.focus();
  };
  return (
    <>
      <button
        ref={opener}
        type="button"
        class={styles.opener}
        tabIndex={tabIndex}
        popovertarget={id}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
      >
        {button}
        {!plain && <ChevronDownIcon size={12} />}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        class={styles.menu}
        onBeforeToggle={(event) => event.newState === "open" && place(list.current, opener.current)}
        onToggle={toggled}
      >
        {heading && <div class={styles.heading}>{heading}</div>}
        <div role="menu" aria-label={label} onKeyDown={(event) => move(event, list.current)}>
          {items.map((item) => (
            <button
              key={item.key}
              type="button"
              {...(item.checked === undefined
                ? { role: "menuitem" }
                : { role: "menuitemradio", "aria-checked": item.checked })}
              aria-disabled={item.reason ? true : undefined}
              tabIndex={-1}
              class={classes(styles.item, item.danger && styles.danger)}
              onClick={() => choose(item)}
            >
              {item.icon}
              <span>
                {item.label}
                {item.reason && <span class={styles.reason}>{item.reason}</span>}
              </span>
            </button>
          ))}
        </div>
      </div>
    </>
  );
}

/** Put a popover under its button, or above it where there is no room, inside of the window. */
function place(popover: HTMLElement | null, opener: HTMLElement | null): void {
  if (!popover || !opener) return;
  const anchor = opener.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = popover;
  const below = anchor.bottom + 4;
  const top = below + offsetHeight > innerHeight ? Math.max(4, anchor.top - offsetHeight - 4) : below;
  const left = Math.max(4, Math.min(anchor.left, document.documentElement.clientWidth - offsetWidth - 8));
  popover.style.top = `${top}px`;
  popover.style.left = `${left}px`;
}

function choices(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
}

function move(event: KeyboardEvent, list: HTMLElement | null): void {
  const all = choices(list);
  const at = all.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    all.at(to % all.length)?.focus();
  } else if (event.key === "Tab") {
    list?.hidePopover();
  }
}
