import { useMessages } from "../../i18n/messages";
import { PageHeader } from "../../ui/Section";
import { ExpressionEditor } from "../expressions/ExpressionEditor";
import { useExpressionQuery } from "../expressions/useExpressionQuery";

const ALLOWED = { followers: true, received: true };

/** Finds the people of any expression: how many, who, and what can be done with them. */
export default function AudiencePage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const channel = params.channel ?? "";
  const [tree, setTree] = useExpressionQuery();
  return (
    <>
      <PageHeader title={m.shell.audience} />
      <ExpressionEditor channel={channel} value={tree} onChange={setTree} allow={ALLOWED} />
    </>
  );
}
