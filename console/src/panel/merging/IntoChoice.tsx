import { useState } from "preact/hooks";
import { MergeChoicesDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { formatCount } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { RadioGroup } from "../../ui/RadioGroup";
import { TextInput } from "../../ui/TextInput";
import { useSettled } from "../expressions/useSettled";
import { fullName } from "../tags/words";
import type { Mergeable } from "./mergeable";
import { useMessages } from "./messages";

/** How long to wait for more to be typed, in milliseconds. */
const PAUSE = 200;

type IntoChoiceProps = { tag: Mergeable; channel: string; onChoose: (into: string) => void };

/** Lets choose into which tag of the same kind a tag is merged. */
export function IntoChoice({ tag, channel, onChoose }: IntoChoiceProps) {
  const m = useMessages();
  const [text, setText] = useState("");
  const [picked, setPicked] = useState<string | null>(null);
  const search = useSettled(text.trim(), PAUSE);
  const asked = useQuery(MergeChoicesDocument, { channel, kind: tag.kind, search: search || null });
  return (
    <Stack gap={3}>
      <TextInput
        type="search"
        label={m.merging.search}
        placeholder={m.merging.searchHint}
        value={text}
        onInput={setText}
      />
      <Answer asked={asked}>
        {({ channel: found }) => {
          const listed = found?.tags.nodes ?? [];
          const others = listed.filter(({ id }) => id !== tag.id);
          const total = (found?.tags.totalCount ?? 0) - (listed.length - others.length);
          if (others.length === 0) {
            return search ? (
              <p role="status">{m.merging.noneFound}</p>
            ) : (
              <EmptyState title={m.merging.none}>{m.merging.noneHint}</EmptyState>
            );
          }
          return (
            <>
              <RadioGroup
                label={m.merging.into}
                value={picked}
                choices={others.map((other) => ({
                  value: other.id,
                  label: fullName(other),
                  hint: m.merging.people(formatCount(other.memberCount)),
                }))}
                onChange={setPicked}
              />
              <div>
                <Button
                  variant="primary"
                  reason={others.some(({ id }) => id === picked) ? null : m.merging.chooseFirst}
                  onClick={() => picked && onChoose(picked)}
                >
                  {m.merging.look}
                </Button>
              </div>
              {total > others.length && (
                <p role="status">{m.merging.shown(formatCount(others.length), formatCount(total))}</p>
              )}
            </>
          );
        }}
      </Answer>
    </Stack>
  );
}
