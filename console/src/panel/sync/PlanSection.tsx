import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import {
  type RemoteAdditions,
  StartSyncDocument,
  type SyncConflict,
  type SyncTagFragment,
} from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { EmptyState } from "../../ui/EmptyState";
import { Row, Stack } from "../../ui/Layout";
import { RadioGroup } from "../../ui/RadioGroup";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { TagChip } from "../../ui/TagChip";
import { TextInput } from "../../ui/TextInput";
import { KeepInSync } from "../tags/KeepInSync";
import { paths } from "../tags/paths";
import { SyncState } from "../tags/SyncState";
import {
  fitsAtWechat,
  isLinked,
  MAX_TAGS,
  type PlanChoice,
  planInput,
  remoteNameOf,
  USUAL,
} from "./planning";
import styles from "./Sync.module.css";

type PlanSectionProps = {
  channel: string;
  tags: readonly SyncTagFragment[];
  chosen: readonly string[];
  onChoose: (ids: readonly string[]) => void;
};

/** Lets choose tags, and how to sync them, and makes a plan of it. */
export function PlanSection({ channel, tags, chosen, onChoose }: PlanSectionProps) {
  const m = useMessages();
  const [, navigate] = useLocation();
  const [choice, setChoice] = useState<PlanChoice>(USUAL);
  const start = useMutation(StartSyncDocument);
  const shown = tags.filter((tag) => tag.state === "ACTIVE" || isLinked(tag));
  const picked = shown.filter(({ id, state }) => state === "ACTIVE" && chosen.includes(id));
  const reason = useReason(picked, choice);
  const plan = async () => {
    const { data } = await start.run({ input: planInput(channel, picked, choice) });
    const id = data?.syncToOfficialAccount?.sync.id;
    if (id) navigate(paths.sync(channel, id));
  };
  if (shown.length === 0) return <EmptyState title={m.sync.none}>{m.sync.noneHint}</EmptyState>;
  return (
    <Section card title={m.sync.tags} description={m.sync.steps}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void plan();
        }}
      >
        <Stack gap={4}>
          <TagChoice
            channel={channel}
            tags={shown}
            chosen={picked.map(({ id }) => id)}
            onChoose={onChoose}
            names={choice.names}
            onName={(id, name) => setChoice({ ...choice, names: { ...choice.names, [id]: name } })}
          />
          <Options choice={choice} onChange={setChoice} />
          <ApiProblem problem={start.problem} />
          <Row>
            <Button type="submit" variant="primary" busy={start.busy} reason={reason}>
              {m.sync.plan}
            </Button>
            {picked.length > 0 && m.sync.chosen(formatCount(picked.length))}
          </Row>
        </Stack>
      </form>
    </Section>
  );
}

function useReason(picked: readonly SyncTagFragment[], { names }: PlanChoice): string | null {
  const m = useMessages();
  if (picked.length === 0) return m.sync.noneChosen;
  if (picked.length > MAX_TAGS) return m.sync.tooMany;
  return picked.every((tag) => fitsAtWechat(remoteNameOf(tag, names))) ? null : m.sync.nameTooLong;
}

function Options({ choice, onChange }: { choice: PlanChoice; onChange: (choice: PlanChoice) => void }) {
  const { sync } = useMessages();
  const conflicts: SyncConflict[] = ["FAIL", "ADOPT", "RENAME"];
  const additions: RemoteAdditions[] = ["KEEP", "REMOVE"];
  return (
    <div class={styles.options}>
      <RadioGroup
        label={sync.onConflict}
        value={choice.onConflict}
        choices={conflicts.map((value) => ({ value, label: sync.conflicts[value] }))}
        onChange={(onConflict) => onChange({ ...choice, onConflict })}
      />
      <RadioGroup
        label={sync.remoteAdditions}
        value={choice.remoteAdditions}
        choices={additions.map((value) => ({ value, label: sync.additions[value] }))}
        onChange={(remoteAdditions) => onChange({ ...choice, remoteAdditions })}
      />
      <Checkbox
        label={sync.keepNow}
        hint={sync.keepNowHint}
        checked={choice.keepInSync}
        onChange={(keepInSync) => onChange({ ...choice, keepInSync })}
      />
    </div>
  );
}

type TagChoiceProps = PlanSectionProps & {
  names: PlanChoice["names"];
  onName: (id: string, name: string) => void;
};

function TagChoice({ channel, tags, chosen, onChoose, names, onName }: TagChoiceProps) {
  const m = useMessages();
  const { columns } = m.sync;
  const toggle = (id: string, on: boolean) =>
    onChoose(on ? [...chosen, id] : chosen.filter((each) => each !== id));
  return (
    <Table
      caption={m.sync.tags}
      rows={tags}
      rowKey={({ id }) => id}
      selected={({ id }) => chosen.includes(id)}
      columns={[
        {
          key: "choose",
          header: columns.choose,
          hideHeader: true,
          narrow: true,
          cell: ({ id, name, state }) => (
            <Checkbox
              label={<span class="visually-hidden">{m.sync.choose(name)}</span>}
              checked={chosen.includes(id)}
              reason={state === "ACTIVE" ? null : m.common.states[state]}
              onChange={(on) => toggle(id, on)}
            />
          ),
        },
        {
          key: "tag",
          header: columns.tag,
          primary: true,
          cell: (tag) => (
            <Row>
              <TagChip
                kind={tag.kind}
                kindLabel={m.common.kinds[tag.kind]}
                state={tag.state}
                name={tag.name}
                href={paths.tag(channel, tag.id)}
              />
              <span class={styles.muted}>{tag.category}</span>
            </Row>
          ),
        },
        {
          key: "people",
          header: columns.people,
          align: "end",
          cell: ({ memberCount }) => formatCount(memberCount),
        },
        { key: "link", header: columns.link, cell: (tag) => <LinkCell channel={channel} tag={tag} /> },
        { key: "keep", header: columns.keep, cell: (tag) => <KeepCell tag={tag} /> },
        {
          key: "name",
          header: columns.remoteName,
          cell: (tag) =>
            chosen.includes(tag.id) ? (
              <TextInput
                hideLabel
                label={`${columns.remoteName}: ${tag.name}`}
                value={names[tag.id] ?? ""}
                placeholder={remoteNameOf(tag, {})}
                error={fitsAtWechat(remoteNameOf(tag, names)) ? null : m.sync.nameTooLong}
                onInput={(name) => onName(tag.id, name)}
              />
            ) : (
              <span class={styles.muted}>{isLinked(tag) ? tag.officialAccount?.remoteName : ""}</span>
            ),
        },
      ]}
    />
  );
}

function LinkCell({ channel, tag }: { channel: string; tag: SyncTagFragment }) {
  const m = useMessages();
  const link = tag.officialAccount;
  return (
    <>
      <SyncState link={link} />
      {link?.error && <p class={styles.muted}>{link.error}</p>}
      {link?.lastSync && (
        <p class={styles.muted}>
          <Link href={paths.sync(channel, link.lastSync.id)}>{m.tags.lastSync}</Link>
        </p>
      )}
    </>
  );
}

function KeepCell({ tag }: { tag: SyncTagFragment }) {
  if (!tag.officialAccount || !isLinked(tag)) return null;
  return <KeepInSync inTable tag={tag} kept={tag.officialAccount.keepInSync} />;
}
