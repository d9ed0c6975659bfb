import type { ComponentChildren } from "preact";
import type { HeldReason } from "../../../api/generated/graphql";
import { Button } from "../../../ui/Button";
import { Count } from "../../../ui/Count";
import { useMessages } from "../messages";
import styles from "./ReasonList.module.css";
import { heldWord } from "./words";

export interface ReasonGroup {
  readonly reason: HeldReason;
  readonly count: number;
}

interface ReasonListProps<Group extends ReasonGroup> {
  groups: readonly Group[];
  /** Shows who these people are. */
  onOpen?: (reason: HeldReason) => void;
  /** Says more about one reason, such as the first of its people. */
  more?: (group: Group) => ComponentChildren;
}

/** Lists how many people are not sent to for which reason, the most first. */
export function ReasonList<Group extends ReasonGroup>({ groups, onOpen, more }: ReasonListProps<Group>) {
  const m = useMessages();
  const sorted = [...groups].sort((one, other) => other.count - one.count);
  return (
    <ul class={styles.list}>
      {sorted.map((group) => (
        <li key={group.reason} class={styles.entry}>
          <strong class={styles.count}>
            <Count value={group.count} />
          </strong>
          <span class={styles.reason}>
            {heldWord(m, group.reason)}
            {more?.(group)}
          </span>
          {onOpen && (
            <Button
              size="small"
              label={m.broadcasts.report.showPeople(heldWord(m, group.reason))}
              onClick={() => onOpen(group.reason)}
            >
              {m.broadcasts.report.show}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
