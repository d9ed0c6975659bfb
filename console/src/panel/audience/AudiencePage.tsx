import { useSearchParams } from "wouter-preact";
import { useMessages } from "../../i18n/messages";
import { Stack } from "../../ui/Layout";
import { PageHeader, Section } from "../../ui/Section";
import { Tabs } from "../../ui/Tabs";
import { ExpressionEditor } from "../expressions/ExpressionEditor";
import { useAudience } from "../expressions/useAudience";
import { useExpressionQuery } from "../expressions/useExpressionQuery";
import { AudienceActions } from "./AudienceActions";
import { AudienceSize } from "./AudienceSize";
import { ExportSection } from "./ExportSection";
import { OverlapView } from "./OverlapView";
import { PeopleList } from "./PeopleList";

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
      <AudienceSize audience={audience} />
      <AudienceActions
        channel={channel}
        tree={tree}
        audience={audience}
        onExport={(started) => set("export", started)}
      />
      {job && <ExportSection key={job} job={job} onDismiss={() => set("export", null)} />}
      {audience.input && (
        <Tabs
          label={m.audience.views}
          tabs={VIEWS.map((id) => ({ id, label: m.audience[id] }))}
          selected={view}
          onSelect={(chosen) => set("view", chosen === "people" ? null : chosen)}
        >
          {view === "people" ? (
            <PeopleList channel={channel} expression={audience.input} count={audience.size?.count ?? null} />
          ) : (
            <OverlapView channel={channel} tree={tree} known={audience.known} />
          )}
        </Tabs>
      )}
    </Stack>
  );
}
