import { useState } from "preact/hooks";
import { SetKeepInSyncDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { Checkbox } from "../../ui/Checkbox";
import { showToast } from "../../ui/toast";

type KeepInSyncProps = {
  tag: { readonly id: string; readonly name: string; readonly state: string };
  kept: boolean;
  /** Names the tag for screen readers only, in a table whose column says what is asked. */
  inTable?: boolean;
};

/** Turns keeping a tag in sync on and off; what was chosen is shown at once, and taken back if it was refused. */
export function KeepInSync({ tag, kept, inTable = false }: KeepInSyncProps) {
  const m = useMessages();
  const { run } = useMutation(SetKeepInSyncDocument);
  const [wanted, setWanted] = useState<boolean | null>(null);
  const checked = wanted ?? kept;
  const turn = async (on: boolean) => {
    setWanted(on);
    const { problem } = await run({ tags: [tag.id], keepInSync: on });
    setWanted(null);
    if (problem) showToast({ text: m.problems[problem.code], tone: "negative" });
    else showToast({ text: on ? m.tags.keepOn : m.tags.keepOff });
  };
  return (
    <Checkbox
      label={
        inTable ? (
          <span class="visually-hidden">{`${m.tags.keepInSync}: ${tag.name}`}</span>
        ) : (
          m.tags.keepInSync
        )
      }
      hint={inTable ? undefined : m.tags.keepInSyncHint}
      checked={checked}
      reason={tag.state === "LAPSED" && !checked ? m.tags.lapsedTitle : null}
      onChange={turn}
    />
  );
}
