import type { ComponentChildren } from "preact";
import { useMessages } from "../i18n/messages";

type NewTabLinkProps = { href: string; class?: string | undefined; children: ComponentChildren };

/**
 * Leads to a page of the console that the browser loads anew, in a tab of its own: only a tab that stays can hand it the
 * token.
 */
export function NewTabLink({ href, class: look, children }: NewTabLinkProps) {
  const m = useMessages();
  return (
    <a href={href} target="_blank" rel="noopener" class={look} title={m.common.newTab}>
      {children}
    </a>
  );
}
