import { Link } from "wouter-preact";
import { BroadcastDocument } from "../../../api/generated/graphql";
import { useQuery } from "../../../api/hooks";
import { Answer } from "../../../app/Answer";
import { Row, Stack } from "../../../ui/Layout";
import { PageHeader } from "../../../ui/Section";
import { HistoryLink } from "../../audit/HistoryLink";
import { useMessages } from "../messages";
import { BroadcastState } from "../parts/BroadcastState";
import { FollowBroadcast } from "../parts/FollowBroadcast";
import { Guarded } from "../parts/Guarded";
import { MissingBroadcast } from "../parts/MissingBroadcast";
import { paths } from "../parts/paths";
import { hasEnded } from "../parts/states";
import { About } from "./About";
import { Actions } from "./Actions";
import { Failures } from "./Failures";
import { HeldBack } from "./HeldBack";
import { PeopleBar } from "./PeopleBar";
import type { Report } from "./parts";
import { Response } from "./Response";
import { Runs } from "./Runs";
import { Uncertain } from "./Uncertain";
import { WaitNotice } from "./WaitNotice";

export default function BroadcastPage({ params }: { params: Record<string, string> }) {
  return (
    <Guarded>
      <Asked channel={params.channel ?? ""} id={params.broadcast ?? ""} />
    </Guarded>
  );
}

function Asked({ channel, id }: { channel: string; id: string }) {
  const asked = useQuery(BroadcastDocument, { id });
  if (asked.problem?.code === "NOT_FOUND") return <MissingBroadcast channel={channel} />;
  return (
    <Answer asked={asked}>
      {({ broadcast }) => broadcast && <Shown channel={channel} report={broadcast} />}
    </Answer>
  );
}

function Shown({ channel, report }: { channel: string; report: Report }) {
  const m = useMessages();
  const above = (
    <>
      <Link href={paths.list(channel)}>{m.broadcasts.heading}</Link> · {report.channel.name}
      <HistoryLink of={report.id} />
    </>
  );
  const title = (
    <Row gap={3}>
      <span>{report.name ?? report.message}</span>
      <BroadcastState state={report.state} />
    </Row>
  );
  return (
    <Stack gap={5}>
      {!hasEnded(report.state) && <FollowBroadcast id={report.id} />}
      <PageHeader above={above} title={title} description={m.broadcasts.kinds[report.kind]} />
      <WaitNotice report={report} />
      <Actions key={report.id} channel={channel} report={report} />
      <PeopleBar report={report} />
      <Failures channel={channel} report={report} />
      <Uncertain channel={channel} report={report} />
      <HeldBack channel={channel} report={report} />
      {report.sent > 0 && <Response report={report} />}
      <Runs channel={channel} report={report} />
      <About channel={channel} report={report} />
    </Stack>
  );
}
