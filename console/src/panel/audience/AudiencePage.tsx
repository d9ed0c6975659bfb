import { useSearchParams } from "wouter-preact";
import { AudienceOfThenDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { lazy } from "../../app/lazy";
import { Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { PageHeader, Section } from "../../ui/Section";
import { Tabs } from "../../ui/Tabs";
import { ExpressionEditor } from "../expressions/ExpressionEditor";
import { leavesOf } from "../expressions/tree";
import { useAudience } from "../expressions/useAudience";
import { useExpressionQuery } from "../expressions/useExpressionQuery";
import { readInstant } from "../looking/instants";
import { useMessages } from "../looking/messages";
import { AsOfChoice } from "./AsOfChoice";
import { AudienceActions } from "./AudienceActions";
import { AudienceSize } from "./AudienceSize";
import { ExportSection } from "./ExportSection";
import { OverlapView } from "./OverlapView";
import { PeopleList } from "./PeopleList";
import { SizeOfThen } from "./SizeOfThen";

const ForecastSection = lazy(() => import("./ForecastSection"));
const ALLOWED = { followers: true, received: true };
const VIEWS = ["people", "overlap"] as const;

/** Finds the people of any expression: how many, who, and what can be done with them; all of it is in the address. */
export default function AudiencePage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const channel = params.channel ?? "";
  const [tree, setTree] = useExpressionQuery();
  const [query, setQuery] = useSearchParams();
  const audience = useAudience(channel, tree);
  const view = VIEWS.find((each) => each === query.get("view")) ?? "people";
  const job = query.get("export");
  const hasReceived = leavesOf(tree).some(({ kind }) => kind === "received");
  // What cannot be had of then is of now, and says so.
  const asOf = hasReceived ? null : readInstant(query.get("asOf"));
  const then = useQuery(
    AudienceOfThenDocument,
    { channel, expression: audience.input ?? {}, asOf: asOf ?? "" },
    { pause: asOf === null || audience.input === null },
  );
  // Of an instant that is not known nothing can be listed.
  const isListed = asOf === null || Boolean(then.data?.audience);
  const set = (name: string, value: string | null) =>
    setQuery(
      (before) => {
        const after = new URLSearchParams(before);
        if (value === null) after.delete(name);
        else after.set(name, value);
        return after;
      },
      { replace: true },
    );
  return (
    <Stack gap={5}>
      <PageHeader title={m.audience.heading} description={m.audience.description} />
      <Section card title={m.audience.expression}>
        <ExpressionEditor
          channel={channel}
          value={tree}
          onChange={setTree}
          allow={ALLOWED}
          problem={audience.problem}
        />
      </Section>
      <AsOfChoice
        value={asOf}
        onChange={(instant) => set("asOf", instant)}
        reason={hasReceived ? m.lookingBack.withReceived : null}
      />
      {asOf !== null && audience.input ? (
        <SizeOfThen
          asOf={asOf}
          then={then}
          now={audience.size}
          onChange={(instant) => set("asOf", instant)}
        />
      ) : (
        <AudienceSize audience={audience} />
      )}
      <AudienceActions
        channel={channel}
        tree={tree}
        audience={audience}
        isOfThen={asOf !== null}
        onExport={(started) => set("export", started)}
      />
      {job && <ExportSection key={job} job={job} onDismiss={() => set("export", null)} />}
      {audience.input && asOf === null && (
        <ForecastSection
          channel={channel}
          tree={tree}
          expression={audience.input}
          hours={query.get("forecast")}
          onHours={(hours) => set("forecast", hours)}
        />
      )}
      {asOf !== null && <Reason>{m.lookingBack.forecastReason}</Reason>}
      {audience.input && isListed && (
        <Tabs
          label={m.audience.views}
          tabs={VIEWS.map((id) => ({ id, label: m.audience[id] }))}
          selected={view}
          onSelect={(chosen) => set("view", chosen === "people" ? null : chosen)}
        >
          {view === "people" ? (
            <Stack gap={3}>
              {asOf !== null && <p>{m.lookingBack.peopleHint}</p>}
              <PeopleList
                channel={channel}
                expression={audience.input}
                asOf={asOf}
                count={(asOf === null ? audience.size : then.data?.audience)?.count ?? null}
              />
            </Stack>
          ) : asOf !== null ? (
            <Reason>{m.lookingBack.overlapReason}</Reason>
          ) : (
            <OverlapView channel={channel} tree={tree} known={audience.known} />
          )}
        </Tabs>
      )}
    </Stack>
  );
}
