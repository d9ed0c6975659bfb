import { Link, useSearchParams } from "wouter-preact";
import {
  ReturnFormDocument,
  type ReturnFormQuery,
  ReturnTagForListDocument,
  type ReturnTagForListQuery,
} from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { PageHeader } from "../../ui/Section";
import { paths } from "../tags/paths";
import { ListForm } from "./ListForm";

export type ReturnTagOfList = Extract<NonNullable<ReturnTagForListQuery["tag"]>, { __typename: "ReturnTag" }>;

/** Makes a tag of a list of people, or hands a further list to the tag that `?tag=` names. */
export default function NewReturnPage({ params }: { params: Record<string, string> }) {
  const channel = params.channel ?? "";
  const m = useMessages();
  const [query] = useSearchParams();
  const id = query.get("tag");
  const asked = useQuery(ReturnFormDocument, { channel });
  const known = useQuery(ReturnTagForListDocument, { tag: id ?? "" }, { pause: id === null });
  const tag = known.data?.tag?.__typename === "ReturnTag" && id !== null ? known.data.tag : null;
  return (
    <Stack gap={5}>
      <PageHeader
        title={tag ? m.data.moreHeading(tag.name) : m.data.newHeading}
        above={
          <Link href={tag ? paths.tag(channel, tag.id) : paths.tags(channel)}>
            {tag ? `${tag.category} / ${tag.name}` : m.tags.back}
          </Link>
        }
        description={tag ? m.data.moreIntro : m.data.newIntro}
      />
      <Answer asked={asked}>
        {(data) =>
          id === null ? (
            <Content data={data} tag={null} />
          ) : (
            <Answer asked={known}>{() => <Content key={id} data={data} tag={tag ?? "MISSING"} />}</Answer>
          )
        }
      </Answer>
    </Stack>
  );
}

function Content({ data, tag }: { data: ReturnFormQuery; tag: ReturnTagOfList | "MISSING" | null }) {
  const m = useMessages();
  const { channel, channels } = data;
  if (!channel) return null;
  if (!can("SUBMIT_DATA")) return <EmptyState title={m.data.notYours} />;
  if (tag === "MISSING") return <EmptyState title={m.data.tagNotFound}>{m.data.tagNotFoundHint}</EmptyState>;
  return <ListForm channel={channel} channels={channels} tag={tag} />;
}
