import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../../api/problem";
import { ApiProblem } from "../../app/ApiProblem";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { Problem as Notice } from "../../ui/Problem";
import { TextArea } from "../../ui/TextArea";
import { TextInput } from "../../ui/TextInput";
import { type Names, namesOfTag, sameNames } from "./naming";
import styles from "./TagPage.module.css";
import type { TagRow } from "./tagList";
import { useRename } from "./useRename";

type NamesFormProps = {
  tag: TagRow;
  /** Is called when it is saved, and when it is left as it was. */
  onDone: () => void;
  /** Reads the tag again, after somebody else was faster. */
  onConflict: () => void;
};

/** Edits the name and the description of a tag in their place; what somebody else saved meanwhile is never lost. */
export function NamesForm({ tag, onDone, onConflict }: NamesFormProps) {
  const m = useMessages();
  const [base, setBase] = useState<TagRow>(tag);
  const [names, setNames] = useState<Names>(namesOfTag(tag));
  const { save, busy, problem } = useRename();
  const conflict = tag.version !== base.version && !sameNames(namesOfTag(tag), namesOfTag(base));
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const missing = names.name.trim() === "";

  const submit = async (version: number) => {
    if (missing || sameNames(names, namesOfTag(tag))) return missing ? undefined : onDone();
    const refused = await save(tag, names, version);
    if (refused === null) onDone();
    else if (refused.code === "CONFLICT") onConflict();
  };
  return (
    <form
      class={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(base.version);
      }}
      onKeyDown={(event) => event.key === "Escape" && onDone()}
    >
      <Stack gap={3}>
        <TextInput
          label={m.tags.name}
          hint={m.tags.nameHint}
          value={names.name}
          maxLength={64}
          inputRef={first}
          required
          error={missing ? m.tags.nameMissing : fieldError(problem, "name", m.problems.NAME_TAKEN)}
          onInput={(name) => setNames({ ...names, name })}
        />
        <TextArea
          label={`${m.tags.description} (${m.common.optional})`}
          value={names.description}
          rows={3}
          maxLength={1000}
          onInput={(description) => setNames({ ...names, description })}
        />
        {conflict ? (
          <Conflict
            theirs={tag}
            mine={names}
            busy={busy}
            onKeep={() => void submit(tag.version)}
            onTake={() => {
              setBase(tag);
              setNames(namesOfTag(tag));
            }}
          />
        ) : (
          <>
            {problem && !["NAME_TAKEN", "CONFLICT"].includes(problem.code) && (
              <ApiProblem problem={problem} />
            )}
            <Row>
              <Button type="submit" variant="primary" busy={busy}>
                {m.common.save}
              </Button>
              <Button onClick={onDone}>{m.common.cancel}</Button>
            </Row>
          </>
        )}
      </Stack>
    </form>
  );
}

type ConflictProps = {
  theirs: TagRow;
  mine: Names;
  busy: boolean;
  onKeep: () => void;
  onTake: () => void;
};

function Conflict({ theirs, mine, busy, onKeep, onTake }: ConflictProps) {
  const m = useMessages();
  return (
    <Notice
      title={m.tags.conflictTitle}
      action={
        <Row>
          <Button busy={busy} onClick={onKeep}>
            {m.tags.keepMine}
          </Button>
          <Button onClick={onTake}>{m.tags.takeTheirs}</Button>
        </Row>
      }
    >
      <Facts>
        <Fact label={m.tags.theirs}>
          <strong>{theirs.name}</strong>
          <p>{theirs.description ?? m.tags.noDescription}</p>
        </Fact>
        <Fact label={m.tags.yours}>
          <strong>{mine.name}</strong>
          <p>{mine.description || m.tags.noDescription}</p>
        </Fact>
      </Facts>
    </Notice>
  );
}

function fieldError(problem: Problem | null, field: string, taken: string): string | null {
  if (problem?.code === "NAME_TAKEN") return taken;
  return problem?.fields.find(({ path }) => path.at(-1) === field)?.message ?? null;
}
