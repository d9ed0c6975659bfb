import { useMessages } from "../../i18n/messages";
import { Problem } from "../../ui/Problem";
import type { KnownNodes } from "../expressions/knownNodes";
import { type Tree, tagIdsOf } from "../expressions/tree";

/** Says that a combo waits for a tag that is still taking effect; nothing where it need not. */
export function PendingNote({ tree, known }: { tree: Tree; known: KnownNodes }) {
  const m = useMessages().combos;
  const waits = tagIdsOf(tree).some((id) => known.tag(id)?.state === "PENDING");
  return waits ? <Problem tone="informative" title={m.waitsForPending} /> : null;
}
