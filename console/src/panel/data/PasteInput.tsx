import type { ReturnMode } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Checkbox } from "../../ui/Checkbox";
import { LineNotes } from "../../ui/LineNotes";
import { TextArea } from "../../ui/TextArea";
import type { GivenOpenids } from "./openidList";

const SHOWN_LINES = 50;

type PasteInputProps = {
  text: string;
  given: GivenOpenids;
  mode: ReturnMode;
  allowRejected: boolean;
  error: string | null;
  onText: (text: string) => void;
  onAllowRejected: (allow: boolean) => void;
};

/** Takes pasted openids, and says at once how many they are and which are none. */
export function PasteInput(props: PasteInputProps) {
  const { given } = props;
  const m = useMessages();
  const shown = given.malformed.slice(0, SHOWN_LINES);
  const hidden = given.malformed.length - shown.length;
  const counts = [m.data.counted(formatCount(given.usable))];
  if (given.repeated > 0) counts.push(m.data.repeated(formatCount(given.repeated)));
  if (given.malformed.length > 0) counts.push(m.data.malformed(formatCount(given.malformed.length)));
  return (
    <>
      <TextArea
        label={m.data.openids}
        hint={m.data.openidsHint}
        error={props.error}
        value={props.text}
        rows={10}
        mono
        onInput={props.onText}
      />
      {given.entries.length > 0 && <p>{counts.join(" · ")}</p>}
      <LineNotes
        title={m.data.malformedTitle}
        notes={shown.map(({ line, text }) => ({
          line: m.data.line(formatCount(line)),
          text,
          why: m.data.malformedWhy,
        }))}
        more={hidden > 0 ? m.data.moreLines(formatCount(hidden)) : undefined}
      />
      {props.mode === "REPLACE" && given.malformed.length > 0 && (
        <Checkbox
          label={m.data.allowRejected}
          hint={m.data.allowRejectedHint}
          checked={props.allowRejected}
          onChange={props.onAllowRejected}
        />
      )}
    </>
  );
}
