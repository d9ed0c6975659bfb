import { TagEventsDocument, TagsDocument } from "../../api/generated/graphql";
import { useQuery, useSubscription } from "../../api/hooks";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";

export default function TagsPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const channel = params.channel ?? "";
  const { data } = useQuery(TagsDocument, { channel });
  useSubscription(TagEventsDocument, { channel, after: null });
  return (
    <>
      <h1>{m.tags.heading}</h1>
      <ul>
        {data?.channel?.tags.nodes.map((tag) => (
          <li key={tag.id}>
            {tag.category} / {tag.name}: {m.tags.people(formatCount(tag.memberCount))}
          </li>
        ))}
      </ul>
    </>
  );
}
