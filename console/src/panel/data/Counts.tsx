import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Fact, Facts } from "../../ui/Layout";

const NAMES = [
  "rows",
  "added",
  "removed",
  "unchanged",
  "duplicates",
  "newUsers",
  "rejected",
  "unmatched",
] as const;

export type ListCounts = Partial<Record<(typeof NAMES)[number], number>>;

/** What is told of every list, also where it is none. */
const ALWAYS: readonly string[] = ["added", "unchanged"];

/** Says what a list did, in numbers; leaves out what did not happen. */
export function Counts({ counts }: { counts: ListCounts }) {
  const m = useMessages();
  return (
    <Facts>
      {NAMES.filter((name) => counts[name] || (name in counts && ALWAYS.includes(name))).map((name) => (
        <Fact key={name} label={m.data.counts[name]}>
          {formatCount(counts[name] ?? 0)}
        </Fact>
      ))}
    </Facts>
  );
}
