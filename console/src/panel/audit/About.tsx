import { Link } from "wouter-preact";
import { AuditNamesDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Layout";
import { useMessages } from "./messages";
import { kindOfId, placeOf, spokenOf } from "./targets";

/** Says to what the log is narrowed, and lets that be taken back. */
export function About({ id, onClear }: { id: string; onClear: () => void }) {
  const m = useMessages();
  const { data } = useQuery(AuditNamesDocument, { ids: [id] }, { pause: kindOfId(id) === null });
  const target = data?.nodes[0];
  const spoken = target && (spokenOf(target, m) ?? placeOf(target, m));
  return (
    <Row>
      <span>
        {m.audit.about}{" "}
        {spoken?.href ? <Link href={spoken.href}>{spoken.name}</Link> : (spoken?.name ?? m.audit.aboutGone)}
      </span>
      <Button size="small" onClick={onClear}>
        {m.audit.aboutAll}
      </Button>
    </Row>
  );
}
