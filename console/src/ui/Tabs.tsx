import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Link } from "wouter-preact";
import styles from "./Tabs.module.css";

type TabLinksProps = {
  label: string;
  tabs: readonly { href: string; label: ComponentChildren; current: boolean }[];
};

/** Leads between the pages of one thing. */
export function TabLinks({ label, tabs }: TabLinksProps) {
  return (
    <nav aria-label={label} class={styles.bar}>
      {tabs.map((tab) => (
        <Link
          key={tab.href}
          href={tab.href}
          class={styles.tab}
          aria-current={tab.current ? "page" : undefined}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}

type TabsProps<Id extends string> = {
  label: string;
  tabs: readonly { id: Id; label: ComponentChildren }[];
  selected: Id;
  onSelect: (id: Id) => void;
  children: ComponentChildren;
};

/** Shows one of several views in the same place; arrow keys go from tab to tab. */
export function Tabs<Id extends string>({ label, tabs, selected, onSelect, children }: TabsProps<Id>) {
  const id = useId();
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.id === selected);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs.at(to % tabs.length);
    if (!next) return;
    event.preventDefault();
    onSelect(next.id);
    document.getElementById(`${id}-${next.id}`)?.focus();
  };
  return (
    <>
      <div role="tablist" aria-label={label} class={styles.bar} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`${id}-${tab.id}`}
            type="button"
            role="tab"
            class={styles.tab}
            aria-selected={tab.id === selected}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${selected}`}>
        {children}
      </div>
    </>
  );
}
