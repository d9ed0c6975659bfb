import { Link } from "wouter-preact";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { auditPath } from "./paths";

/** Leads whoever may read it to what the audit log has of an object, as the last part of a line; nothing for everybody else. */
export function HistoryLink({ of }: { of: string }) {
  const m = useMessages();
  if (!can("VIEW_AUDIT_LOG")) return null;
  return (
    <>
      {" · "}
      <Link href={auditPath(of)}>{m.common.history}</Link>
    </>
  );
}
