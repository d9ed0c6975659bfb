import { useMemo, useState } from "preact/hooks";
import {
  type ChannelSettingsFragment,
  MigrateOpenidsDocument,
  type MigrateOpenidsMutation,
} from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { fieldText } from "../../app/fieldText";
import { formatCount } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Form } from "../../ui/Form";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { LineNotes } from "../../ui/LineNotes";
import { Progress } from "../../ui/Progress";
import { Section } from "../../ui/Section";
import { TextArea } from "../../ui/TextArea";
import { TextInput } from "../../ui/TextInput";
import { isOver } from "./jobStates";
import { useMessages } from "./messages";
import { MOST_PAIRS, readPairs } from "./openidPairs";
import { useChannelJob } from "./useChannelJob";

const SHOWN_LINES = 50;
const COUNTS = ["moved", "united", "unchanged", "unknown", "rejected"] as const;

type Counted = Partial<Record<(typeof COUNTS)[number], number>>;
type Migrated = NonNullable<MigrateOpenidsMutation["migrateOpenids"]>;

/** Follows WeChat's migration of an account: names the new account, and tells the pairs of openids. */
export function Migration({ channel, again }: { channel: ChannelSettingsFragment; again: () => void }) {
  const m = useMessages();
  return (
    <Section title={m.settings.migration} description={m.settings.migrationHint} card>
      <details>
        <summary>{m.settings.migrate}</summary>
        <Migrate key={channel.appId} channel={channel} again={again} />
      </details>
    </Section>
  );
}

function Migrate({ channel, again }: { channel: ChannelSettingsFragment; again: () => void }) {
  const m = useMessages();
  const [appId, setAppId] = useState("");
  const [secret, setSecret] = useState("");
  const [text, setText] = useState("");
  const [asking, setAsking] = useState(false);
  const given = useMemo(() => readPairs(text), [text]);
  const { run, busy, problem } = useMutation(MigrateOpenidsDocument);
  const { job, lookAgain } = useChannelJob(channel.id, "OpenidMigration", again);
  const [done, setDone] = useState<Migrated | null>(null);
  const tooMany = given.pairs.length > MOST_PAIRS;
  const migrate = async () => {
    setAsking(false);
    const account =
      appId.trim() === "" ? {} : { newAppId: appId.trim(), newAppSecret: secret.trim() || null };
    const { data } = await run({ input: { channelId: channel.id, ...account, pairs: given.pairs } });
    if (!data?.migrateOpenids) return;
    setDone(data.migrateOpenids);
    setText("");
    lookAgain();
    again();
  };
  const submit = () => {
    if (busy || tooMany || given.malformed.length > 0) return;
    if (appId.trim() !== "" && appId.trim() !== channel.appId) setAsking(true);
    else void migrate();
  };
  return (
    <Form
      label={m.settings.migration}
      onSubmit={submit}
      footer={
        <Button type="submit" busy={busy}>
          {m.settings.migrate}
        </Button>
      }
    >
      <ApiProblem problem={problem} />
      <TextInput
        label={`${m.settings.newAppId} (${m.common.optional})`}
        hint={m.settings.newAppIdHint}
        error={fieldText(problem, "newAppId", m)}
        value={appId}
        mono
        onInput={setAppId}
      />
      {appId.trim() !== "" && (
        <TextInput
          label={`${m.settings.newAppSecret} (${m.common.optional})`}
          error={fieldText(problem, "newAppSecret", m)}
          value={secret}
          type="password"
          autocomplete="new-password"
          mono
          onInput={setSecret}
        />
      )}
      <TextArea
        label={m.settings.pairs}
        hint={m.settings.pairsHint}
        error={tooMany ? m.settings.tooManyPairs : fieldText(problem, "pairs", m)}
        value={text}
        rows={6}
        mono
        onInput={setText}
      />
      {given.pairs.length > 0 && <p>{m.settings.pairsCount(formatCount(given.pairs.length))}</p>}
      <Malformed lines={given.malformed} />
      <div role="status">
        {done?.job == null && done && <Outcome counts={{ ...done, rejected: done.rejected.length }} />}
        {job &&
          (isOver(job.state) ? (
            <Outcome counts={job} />
          ) : (
            <Progress label={m.settings.asking} value={job.done} max={job.total} />
          ))}
      </div>
      <Dialog
        open={asking}
        title={m.settings.migrateTitle}
        closeLabel={m.common.close}
        onClose={() => setAsking(false)}
        footer={
          <>
            <Button onClick={() => setAsking(false)}>{m.common.cancel}</Button>
            <Button variant="danger" busy={busy} onClick={migrate}>
              {m.settings.migrateButton}
            </Button>
          </>
        }
      >
        <Stack gap={3}>
          <p>{m.settings.migrateWhat(channel.appId, appId.trim())}</p>
          <p>{m.settings.migrateEnds}</p>
        </Stack>
      </Dialog>
    </Form>
  );
}

function Malformed({ lines }: { lines: readonly { readonly line: number; readonly text: string }[] }) {
  const m = useMessages();
  const hidden = lines.length - SHOWN_LINES;
  return (
    <LineNotes
      title={m.settings.badPairs}
      notes={lines.slice(0, SHOWN_LINES).map(({ line, text }) => ({
        line: m.settings.line(formatCount(line)),
        text,
        why: m.settings.badPair,
      }))}
      more={hidden > 0 ? m.settings.moreLines(formatCount(hidden)) : undefined}
    />
  );
}

function Outcome({ counts }: { counts: Counted }) {
  const m = useMessages();
  return (
    <>
      <p>{m.settings.migrated}</p>
      <Facts>
        {COUNTS.filter((name) => counts[name] !== undefined).map((name) => (
          <Fact key={name} label={m.settings.migrationCounts[name]}>
            {formatCount(counts[name] ?? 0)}
          </Fact>
        ))}
      </Facts>
    </>
  );
}
