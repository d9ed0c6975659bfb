import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Problem as ApiError } from "../../api/problem";
import { ApiProblem } from "../../app/ApiProblem";
import { fieldText } from "../../app/fieldText";
import { formatCount } from "../../i18n/format";
import { type Messages, useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Form } from "../../ui/Form";
import { LineNotes } from "../../ui/LineNotes";
import { TextArea } from "../../ui/TextArea";
import { TextInput } from "../../ui/TextInput";
import { changeOf, type GivenAds, MOST_IDS, readAdIds } from "./adIds";

export interface AdDraft {
  readonly name: string;
  readonly description: string;
  /** Ids as they are typed, one a line. */
  readonly ids: string;
}

interface AdTagFormProps {
  readonly draft: AdDraft;
  readonly onChange: (draft: AdDraft) => void;
  /** The ids of the tag as it is now; none while it is being made. */
  readonly before: readonly string[];
  readonly action: string;
  readonly busy: boolean;
  readonly reason: string | null;
  readonly problem: ApiError | null;
  /** Takes the place of the problem, where the page knows better. */
  readonly notice?: ComponentChildren;
  readonly onSubmit: (ids: readonly string[]) => void;
}

const SHOWN_LINES = 50;

/** Asks for name, description and ids of an ad tag, and says of each line that is no id what is wrong with it. */
export function AdTagForm(props: AdTagFormProps) {
  const { draft, onChange, before, problem, busy, reason } = props;
  const m = useMessages();
  const [tried, setTried] = useState(false);
  const given = useMemo(() => readAdIds(draft.ids), [draft.ids]);
  const idsError = errorOf(given, tried, m) ?? fieldText(problem, "adIds", m);
  const nameError = tried && draft.name.trim() === "" ? m.ads.nameMissing : fieldText(problem, "name", m);
  const submit = () => {
    setTried(true);
    if (reason || busy || draft.name.trim() === "" || errorOf(given, true, m)) return;
    props.onSubmit(given.ids);
  };
  return (
    <Form
      onSubmit={submit}
      footer={
        <Button type="submit" variant="primary" busy={busy} reason={reason}>
          {props.action}
        </Button>
      }
    >
      {props.notice ?? <ApiProblem problem={problem} />}
      <TextInput
        label={m.ads.name}
        hint={`${m.ads.nameHint} ${m.ads.categoryHint}`}
        error={nameError}
        value={draft.name}
        maxLength={64}
        required
        onInput={(name) => onChange({ ...draft, name })}
      />
      <TextArea
        label={`${m.ads.description} (${m.common.optional})`}
        hint={m.ads.descriptionHint}
        error={fieldText(problem, "description", m)}
        value={draft.description}
        rows={2}
        maxLength={1_000}
        onInput={(description) => onChange({ ...draft, description })}
      />
      <TextArea
        label={m.ads.ids}
        hint={m.ads.idsHint}
        error={idsError}
        value={draft.ids}
        rows={10}
        mono
        required
        onInput={(ids) => onChange({ ...draft, ids })}
      />
      <Summary given={given} before={before} />
    </Form>
  );
}

function Summary({ given, before }: { given: GivenAds; before: readonly string[] }) {
  const m = useMessages();
  const change = changeOf(before, given.ids);
  const changed = before.length > 0 && change.added + change.gone > 0;
  const parts = [m.ads.counted(formatCount(given.ids.length))];
  if (changed) parts.push(m.ads.changed(formatCount(change.added), formatCount(change.gone)));
  const notes = given.lines.slice(0, SHOWN_LINES).map(({ line, text, why }) => ({
    line: m.ads.line(formatCount(line)),
    text,
    why: m.ads.why[why],
    harmless: why === "repeated",
  }));
  const hidden = given.lines.length - notes.length;
  return (
    <>
      <p hidden={given.ids.length === 0}>
        {parts.join(" · ")} {changed && change.gone > 0 && `– ${m.ads.losers}`}
      </p>
      <LineNotes
        title={m.ads.lines}
        notes={notes}
        more={hidden > 0 ? m.ads.moreLines(formatCount(hidden)) : undefined}
      />
    </>
  );
}

/** Says why the list cannot be taken; that it is empty only once somebody tried to send it. */
function errorOf({ ids, lines }: GivenAds, tried: boolean, m: Messages): string | null {
  if (ids.length > MOST_IDS) return m.ads.tooMany(formatCount(ids.length));
  if (lines.some(({ why }) => why !== "repeated")) return tried ? m.ads.malformedBlocks : null;
  return tried && ids.length === 0 ? m.ads.idsMissing : null;
}
