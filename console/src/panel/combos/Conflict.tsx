import type { ComboToEditFragment } from "../../api/generated/graphql";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Fact, Facts } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";

/** Shows what somebody else saved meanwhile, and lets it be taken. */
export function Conflict({ theirs, onTake }: { theirs: ComboToEditFragment; onTake: () => void }) {
  const m = useMessages().combos;
  return (
    <Problem title={m.conflictTitle} action={<Button onClick={onTake}>{m.takeTheirs}</Button>}>
      <p>{m.conflictHint}</p>
      <Facts>
        <Fact label={m.theirs}>
          <strong>{`${theirs.category} / ${theirs.name}`}</strong>
          <p>{theirs.expression.text}</p>
          {theirs.description && <p>{theirs.description}</p>}
        </Fact>
      </Facts>
    </Problem>
  );
}
