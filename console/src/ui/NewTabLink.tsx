import type { ComponentChildren } from "preact";

type NewTabLinkProps = {
  href: string;
  /** Says that it opens a new tab, for those who do not see one open. */
  told: string;
  class?: string | undefined;
  children: ComponentChildren;
};

/** Leads to another of the built pages, in a tab of its own: a page that went away could not hand its token over. */
export function NewTabLink({ href, told, class: look, children }: NewTabLinkProps) {
  return (
    <a href={href} target="_blank" rel="noopener" class={look}>
      {children}
      <span class="visually-hidden"> ({told})</span>
    </a>
  );
}
