import { useRef } from "preact/hooks";
import type { Problem } from "../../../api/problem";
import { ExpressionEditor } from "../../expressions/ExpressionEditor";
import { toQueryString, treeOfQuery } from "../../expressions/queryString";
import { sameTree } from "../../expressions/tree";
import { useMessages } from "../messages";

interface AudienceFieldProps {
  channel: string;
  /** As an address has it. */
  audience: string;
  problem: Problem | null;
  onChange: (audience: string) => void;
}

const ALLOWED = { followers: true, received: true };

/** Asks whom it is for: an expression over tags, followers, and who received another broadcast. */
export function AudienceField({ channel, audience, problem, onChange }: AudienceFieldProps) {
  const words = useMessages().broadcasts.compose;
  const read = treeOfQuery(audience);
  const shown = useRef(read);
  // The same expression keeps its nodes, or the focus would be lost with each change.
  if (!sameTree(shown.current, read)) shown.current = read;
  return (
    <ExpressionEditor
      channel={channel}
      label={words.audience}
      value={shown.current}
      allow={ALLOWED}
      problem={problem}
      onChange={(tree) => {
        shown.current = tree;
        onChange(toQueryString(tree));
      }}
    />
  );
}
