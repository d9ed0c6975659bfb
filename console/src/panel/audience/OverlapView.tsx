import { useMemo } from "preact/hooks";
import { TagOverlapDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { formatCount, formatList } from "../../i18n/format";
import { locale } from "../../i18n/language";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { OverlapIcon } from "../../ui/icons";
import { Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import type { KnownNodes } from "../expressions/knownNodes";
import { type Tree, tagIdsOf } from "../expressions/tree";
import { EulerPicture } from "./EulerPicture";
import { MOST_COMPARED, type Pair, shareOf, sizedTags } from "./overlap";
import { PairsPicture } from "./PairsPicture";

interface OverlapViewProps {
  readonly channel: string;
  readonly tree: Tree;
  readonly known: KnownNodes;
}

/** Shows the overlap as a part of a page; nothing while there are no two tags to compare. */
export function OverlapSection(props: OverlapViewProps) {
  const m = useMessages().audience;
  const { tree, known } = props;
  if (!can("VIEW_USERS") || comparable(tree, known).length < 2) return null;
  return (
    <Section card title={m.overlap}>
      <OverlapView {...props} />
    </Section>
  );
}

/** Lists the tags of an expression that are in effect. */
function comparable(tree: Tree, known: KnownNodes): string[] {
  return tagIdsOf(tree).filter((id) => {
    const tag = known.tag(id);
    return tag?.state === "ACTIVE" && tag.deletedAt === null;
  });
}

/** Shows how many people the tags of an expression have in common: as a picture, and in a table. */
export function OverlapView({ channel, tree, known }: OverlapViewProps) {
  const m = useMessages().audience;
  const usable = comparable(tree, known);
  const text = usable.slice(0, MOST_COMPARED).join(" ");
  const tags = useMemo(() => text.split(" "), [text]);
  const asked = useQuery(TagOverlapDocument, { tags }, { pause: usable.length < 2 });
  if (usable.length < 2) {
    return (
      <EmptyState title={m.overlapTooFew} icon={<OverlapIcon size={24} />}>
        {m.overlapTooFewHint}
      </EmptyState>
    );
  }
  return (
    <Stack gap={4}>
      <p>
        {m.overlapHint} {usable.length > MOST_COMPARED && m.overlapFirst(formatCount(MOST_COMPARED))}
      </p>
      <Answer asked={asked}>
        {({ tagOverlap }) => tagOverlap && <Overlap channel={channel} pairs={tagOverlap} />}
      </Answer>
    </Stack>
  );
}

function Overlap({ channel, pairs }: { channel: string; pairs: readonly Pair[] }) {
  const m = useMessages().audience;
  const tags = sizedTags(pairs);
  const percent = new Intl.NumberFormat(locale(), { style: "percent" });
  return (
    <>
      {tags.length <= 3 ? (
        <EulerPicture channel={channel} tags={tags} pairs={pairs} />
      ) : (
        <PairsPicture tags={tags} pairs={pairs} />
      )}
      <Table
        caption={m.overlapTable}
        rows={pairs}
        rowKey={({ a, b }) => `${a.id} ${b.id}`}
        columns={[
          {
            key: "pair",
            header: m.pair,
            primary: true,
            cell: ({ a, b }) => formatList([a.name, b.name]),
          },
          { key: "both", header: m.both, align: "end", cell: ({ both }) => formatCount(both) },
          { key: "a", header: m.onlyFirst, align: "end", cell: ({ onlyA }) => formatCount(onlyA) },
          { key: "b", header: m.onlySecond, align: "end", cell: ({ onlyB }) => formatCount(onlyB) },
          {
            key: "share",
            header: m.share,
            align: "end",
            cell: (pair) => {
              const share = shareOf(pair);
              return share === null ? "–" : percent.format(share);
            },
          },
        ]}
      />
    </>
  );
}
