import { useCallback, useRef } from "preact/hooks";
import { Link, useSearchParams } from "wouter-preact";
import { TagEventsDocument, TagReceiptsDocument } from "../../api/generated/graphql";
import { useQuery, useSubscription } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { UploadIcon } from "../../ui/icons";
import { Row } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { paths } from "../tags/paths";
import { ReceiptDrawer } from "./ReceiptDrawer";
import { ReceiptsTable } from "./ReceiptsTable";

/**
 * Shows the lists that were returned for a tag, newest first, and lets them be looked into and undone. The page and the
 * list that is looked at are in the address (`receipts`, `receipt`).
 */
export default function ReceiptsSection({ channel, tag }: { channel: string; tag: string }) {
  const m = useMessages();
  const [query, setQuery] = useSearchParams();
  const after = query.get("receipts");
  const chosen = query.get("receipt");
  const asked = useQuery(TagReceiptsDocument, { tag, after });
  useNews(channel, tag, asked.again);
  const go = (name: "receipts" | "receipt", value: string | null, replace = false) =>
    setQuery((now) => changed(now, name, value), { replace });
  const look = (receipt: string) => go("receipt", receipt);
  return (
    <Section
      title={m.data.receipts}
      description={m.data.receiptsHint}
      card
      actions={
        can("SUBMIT_DATA") && (
          <LinkButton
            href={`${paths.newTag(channel, "return")}?tag=${encodeURIComponent(tag)}`}
            icon={<UploadIcon size={14} />}
          >
            {m.data.more}
          </LinkButton>
        )
      }
    >
      <Answer asked={asked}>
        {({ node }) => {
          if (node?.__typename !== "ReturnTag") return null;
          const { nodes, pageInfo } = node.receipts;
          if (nodes.length === 0 && after === null) {
            return <EmptyState title={m.data.receiptsNone}>{m.data.receiptsNoneHint}</EmptyState>;
          }
          return (
            <>
              <ReceiptsTable receipts={nodes} onLook={look} />
              <Row>
                {after !== null && <Link href={hrefWith(query, null)}>{m.data.newest}</Link>}
                {pageInfo.hasNextPage && (
                  <Link href={hrefWith(query, pageInfo.endCursor)}>{m.data.older}</Link>
                )}
              </Row>
            </>
          );
        }}
      </Answer>
      {chosen !== null && (
        <ReceiptDrawer key={chosen} receipt={chosen} onClose={() => go("receipt", null, true)} />
      )}
    </Section>
  );
}

/** Asks again whenever something was told of the tag, such as that its people became others. */
function useNews(channel: string, tag: string, again: () => void): void {
  const newest = useRef(again);
  newest.current = again;
  const onEvent = useCallback(
    ({
      tagEvents,
    }: {
      readonly tagEvents: { readonly kind: string; readonly tag: { readonly id: string } | null };
    }) => {
      if (tagEvents.kind === "RESET" || tagEvents.tag?.id === tag) newest.current();
    },
    [tag],
  );
  useSubscription(TagEventsDocument, { channel, after: null }, { onEvent });
}

function hrefWith(query: URLSearchParams, after: string | null): string {
  return `?${changed(query, "receipts", after)}`;
}

function changed(query: URLSearchParams, name: string, value: string | null): URLSearchParams {
  const next = new URLSearchParams(query);
  if (value === null) next.delete(name);
  else next.set(name, value);
  return next;
}
