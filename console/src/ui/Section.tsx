import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { classes } from "./classes";
import styles from "./Section.module.css";
import { arrive, nameWindow } from "./title";

type SectionProps = {
  title: ComponentChildren;
  description?: ComponentChildren;
  actions?: ComponentChildren;
  children?: ComponentChildren;
  /** In a card of its own, for pages of several parts. */
  card?: boolean;
  level?: 2 | 3;
};

/** One part of a page under its heading. */
export function Section({ title, description, actions, children, card, level = 2 }: SectionProps) {
  const id = useId();
  const Heading = `h${level}` as const;
  return (
    <section aria-labelledby={id} class={classes(styles.section, card && styles.card)}>
      <header class={styles.header}>
        <div>
          <Heading id={id}>{title}</Heading>
          {description && <div class={styles.description}>{description}</div>}
        </div>
        {actions && <div class={styles.actions}>{actions}</div>}
      </header>
      {children}
    </section>
  );
}

type PageHeaderProps = {
  title: ComponentChildren;
  /** Where this page belongs, above the title. */
  above?: ComponentChildren;
  description?: ComponentChildren;
  actions?: ComponentChildren;
};

/** The heading of a page, with what can be done there; it names the window too, and takes the focus on arrival. */
export function PageHeader({ title, above, description, actions }: PageHeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    nameWindow(heading.current?.textContent ?? "");
  });
  useLayoutEffect(() => {
    if (heading.current) arrive(heading.current);
  }, []);
  return (
    <header class={styles.header}>
      <div>
        {above && <div class={styles.above}>{above}</div>}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {description && <div class={styles.description}>{description}</div>}
      </div>
      {actions && <div class={styles.actions}>{actions}</div>}
    </header>
  );
}
