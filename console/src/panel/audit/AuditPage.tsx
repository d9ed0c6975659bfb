import { useMemo } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { AuditLogDocument } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { can } from "../../app/viewer";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { LogIcon, RefreshIcon } from "../../ui/icons";
import { Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { PageHeader } from "../../ui/Section";
import { useSettled } from "../expressions/useSettled";
import { About } from "./About";
import { Entries } from "./Entries";
import { EntryDrawer } from "./EntryDrawer";
import { ExportDialog } from "./ExportDialog";
import { Filters } from "./Filters";
import { filterOf, isNarrowed, type LogChoice, readChoice, writeChoice } from "./logChoice";
import { useMessages } from "./messages";

/** How long to wait for more to be typed, in milliseconds. */
const PAUSE = 300;

/** Shows who did what to what on all channels of the robot, and what was refused to whom. */
export default function AuditPage() {
  const m = useMessages();
  if (!can("VIEW_AUDIT_LOG")) {
    return (
      <>
        <PageHeader title={m.audit.heading} />
        <EmptyState title={m.audit.notYours} icon={<LogIcon size={24} />}>
          {m.audit.notYoursHint}
        </EmptyState>
      </>
    );
  }
  return <Log />;
}

function Log() {
  const m = useMessages();
  const [search, setSearch] = useSearchParams();
  const choice = readChoice(search);
  const settled = useSettled(JSON.stringify(choice), PAUSE);
  const filter = useMemo(() => filterOf(JSON.parse(settled) as LogChoice), [settled]);
  const pages = usePages(AuditLogDocument, { filter }, ({ auditLog }) => auditLog);
  const { nodes, more, busy, problem, again } = pages;
  const choose = (chosen: LogChoice) => setSearch((query) => writeChoice(query, chosen), { replace: true });
  const set = (key: string, value: string | null) =>
    setSearch((query) => {
      const written = new URLSearchParams(query);
      if (value) written.set(key, value);
      else written.delete(key);
      return written;
    });
  const entry = search.get("entry");
  return (
    <Stack gap={4}>
      <PageHeader
        title={m.audit.heading}
        description={m.audit.description}
        actions={
          <>
            <Button icon={<RefreshIcon />} busy={busy} onClick={again}>
              {m.audit.refresh}
            </Button>
            <Button onClick={() => set("export", "link")}>{m.audit.export}</Button>
          </>
        }
      />
      <Filters choice={choice} onChange={choose} />
      {choice.target && <About id={choice.target} onClear={() => choose({ ...choice, target: "" })} />}
      <ApiProblem problem={problem} again={again} />
      {!nodes && !problem && <Loading label={m.common.loading} />}
      {nodes?.length === 0 &&
        (isNarrowed(choice) ? (
          <EmptyState title={m.audit.noneFound}>{m.audit.noneFoundHint}</EmptyState>
        ) : (
          <EmptyState title={m.audit.none} icon={<LogIcon size={24} />}>
            {m.audit.noneHint}
          </EmptyState>
        ))}
      {nodes && nodes.length > 0 && <Entries entries={nodes} />}
      <MoreButton more={more} busy={busy} />
      {entry && <EntryDrawer key={entry} id={entry} onClose={() => set("entry", null)} />}
      {search.has("export") && <ExportDialog filter={filter} onClose={() => set("export", null)} />}
    </Stack>
  );
}
