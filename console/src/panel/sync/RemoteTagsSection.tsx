import { useState } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import {
  FollowJobDocument,
  ImportRemoteTagsDocument,
  RemoteTagsDocument,
  type RemoteTagsQuery,
} from "../../api/generated/graphql";
import { useMutation, useQuery, useSubscription } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { EmptyState } from "../../ui/EmptyState";
import { Row, Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { TagChip } from "../../ui/TagChip";
import { JobResult } from "../jobs/JobResult";
import { JobState } from "../jobs/JobState";
import { paths } from "../tags/paths";
import { MAX_TAGS } from "./planning";

type RemoteTag = NonNullable<RemoteTagsQuery["remoteTags"]>[number];

/** Lists the tags that the Official Account has at WeChat, once it is asked, and takes them over. */
export function RemoteTagsSection({ channel, onTaken }: { channel: string; onTaken: () => void }) {
  const m = useMessages();
  const [query, setQuery] = useSearchParams();
  const asked = query.has("remote");
  const ask = () =>
    setQuery(
      (now) => {
        const written = new URLSearchParams(now);
        written.set("remote", "1");
        return written;
      },
      { replace: true },
    );
  return (
    <Section card title={m.sync.remote} description={m.sync.remoteHint}>
      {asked ? (
        <RemoteTags channel={channel} onTaken={onTaken} />
      ) : (
        <div>
          <Button onClick={ask}>{m.sync.showRemote}</Button>
        </div>
      )}
    </Section>
  );
}

function RemoteTags({ channel, onTaken }: { channel: string; onTaken: () => void }) {
  const m = useMessages();
  const asked = useQuery(RemoteTagsDocument, { channel });
  const take = useMutation(ImportRemoteTagsDocument);
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const [job, setJob] = useState<string | null>(null);
  const run = async () => {
    const { data } = await take.run({ channel, remoteTags: chosen });
    if (!data?.importRemoteTags) return;
    setJob(data.importRemoteTags.job.id);
    setChosen([]);
    asked.again();
    onTaken();
  };
  return (
    <Answer asked={asked}>
      {({ remoteTags }) =>
        !remoteTags || remoteTags.length === 0 ? (
          <EmptyState title={m.sync.remoteNone}>{m.sync.remoteNoneHint}</EmptyState>
        ) : (
          <Stack>
            <RemoteTable channel={channel} tags={remoteTags} chosen={chosen} onChoose={setChosen} />
            <ApiProblem problem={take.problem} />
            <Row>
              <Button busy={take.busy} reason={reasonOf(chosen.length, m.sync)} onClick={run}>
                {m.sync.takeOver(formatCount(chosen.length))}
              </Button>
            </Row>
            <p>{m.sync.takeOverHint}</p>
            {job && <TakeOver id={job} channel={channel} />}
          </Stack>
        )
      }
    </Answer>
  );
}

function reasonOf(count: number, sync: ReturnType<typeof useMessages>["sync"]): string | null {
  if (count === 0) return sync.noneChosenRemote;
  return count > MAX_TAGS ? sync.tooMany : null;
}

function TakeOver({ id, channel }: { id: string; channel: string }) {
  const m = useMessages();
  const { data } = useSubscription(FollowJobDocument, { job: id });
  const job = data?.jobProgress;
  if (!job) return null;
  return (
    <>
      <p>{m.sync.takingOver}</p>
      <JobState job={job} label={m.jobs.kinds.RemoteTagImport} />
      <JobResult job={job} channel={channel} />
    </>
  );
}

type RemoteTableProps = {
  channel: string;
  tags: readonly RemoteTag[];
  chosen: readonly number[];
  onChoose: (ids: readonly number[]) => void;
};

function RemoteTable({ channel, tags, chosen, onChoose }: RemoteTableProps) {
  const m = useMessages();
  const { columns } = m.sync;
  const toggle = (id: number, on: boolean) =>
    onChoose(on ? [...chosen, id] : chosen.filter((each) => each !== id));
  return (
    <Table
      caption={m.sync.remote}
      rows={tags}
      rowKey={({ remoteTagId }) => String(remoteTagId)}
      columns={[
        {
          key: "choose",
          header: columns.choose,
          hideHeader: true,
          narrow: true,
          cell: ({ remoteTagId, name, tag }) =>
            !tag && (
              <Checkbox
                label={<span class="visually-hidden">{m.sync.chooseRemote(name)}</span>}
                checked={chosen.includes(remoteTagId)}
                onChange={(on) => toggle(remoteTagId, on)}
              />
            ),
        },
        { key: "name", header: columns.remoteName, primary: true, cell: ({ name }) => name },
        {
          key: "members",
          header: columns.members,
          align: "end",
          cell: ({ memberCount }) => formatCount(memberCount),
        },
        {
          key: "ours",
          header: columns.ours,
          cell: ({ tag }) =>
            tag && (
              <TagChip
                kind={tag.kind}
                kindLabel={m.common.kinds[tag.kind]}
                state={tag.state}
                name={`${tag.category} / ${tag.name}`}
                href={paths.tag(channel, tag.id)}
              />
            ),
        },
      ]}
    />
  );
}
