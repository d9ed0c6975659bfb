import type { ComponentChildren } from "preact";
import { can } from "../../../app/viewer";
import { EmptyState } from "../../../ui/EmptyState";
import { useMessages } from "../messages";

/** Shows a page of broadcasts to whoever may send, and the reason to everybody else. */
export function Guarded({ children }: { children: ComponentChildren }) {
  const m = useMessages();
  if (can("BROADCAST")) return <>{children}</>;
  const { title, text } = m.broadcasts.forbidden;
  return <EmptyState title={title}>{text}</EmptyState>;
}
