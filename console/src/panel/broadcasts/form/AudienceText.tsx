import { useMemo } from "preact/hooks";
import { useKnownNodes } from "../../expressions/knownNodes";
import { treeOfQuery } from "../../expressions/queryString";
import { sentenceOf } from "../../expressions/words";
import { useMessages } from "../messages";

/** Says an audience, as an address has it, in the names of its tags and broadcasts. */
export function AudienceText({ audience }: { audience: string }) {
  const m = useMessages();
  const tree = useMemo(() => treeOfQuery(audience), [audience]);
  return <>{sentenceOf(tree, useKnownNodes(tree), m.expressions)}</>;
}
