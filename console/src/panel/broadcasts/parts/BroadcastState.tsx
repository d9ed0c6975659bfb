import type { JobState } from "../../../api/generated/graphql";
import { StateBadge } from "../../../ui/StateBadge";
import { useMessages } from "../messages";
import { stateWord } from "./words";

export function BroadcastState({ state }: { state: JobState }) {
  const m = useMessages();
  const known = Object.hasOwn(m.broadcasts.states, state);
  return <StateBadge state={known ? state : "WAITING"}>{stateWord(m, state)}</StateBadge>;
}
