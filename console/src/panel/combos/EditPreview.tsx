import { Link } from "wouter-preact";
import {
  ComboEditExamplesDocument,
  type ComboEditPreviewQuery,
  type ComboToEditFragment,
  type TagExpressionInput,
} from "../../api/generated/graphql";
import { type Asked, useQuery } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { Count } from "../../ui/Count";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Section } from "../../ui/Section";
import { TagChip } from "../../ui/TagChip";
import { toQueryString } from "../expressions/queryString";
import { depthOf, group, leavesOf, MAX_DEPTH, MAX_LEAVES, type Tree, tagLeaf } from "../expressions/tree";
import type { AudienceOf } from "../expressions/useAudience";
import { paths } from "../tags/paths";
import styles from "./EditPreview.module.css";

interface EditPreviewProps {
  readonly channel: string;
  readonly tag: ComboToEditFragment;
  readonly tree: Tree;
  readonly audience: AudienceOf;
  readonly preview: Asked<ComboEditPreviewQuery>;
}

/** Says what saving another expression would do: who gains and who loses the combo, and which combos go along. */
export function EditPreview({ channel, tag, tree, audience, preview }: EditPreviewProps) {
  const all = useMessages();
  const m = all.combos;
  const found = audience.input && audience.finished ? preview.data?.comboTagEditPreview : null;
  const examples = useExamples(channel, tag, tree, audience.input);
  if (!audience.input || !audience.finished) {
    return (
      <Section card title={m.preview}>
        <p>{audience.finished ? all.audience.notCountable : m.unfinished}</p>
      </Section>
    );
  }
  if (!found) {
    return (
      <Section card title={m.preview}>
        {preview.problem ? (
          <p>{preview.problem.message}</p>
        ) : (
          <Loading label={all.common.loading} shape="text" />
        )}
      </Section>
    );
  }
  const gained = group("except", [tree, tagLeaf(tag.id)]);
  const lost = group("except", [tagLeaf(tag.id), tree]);
  return (
    <Section card title={m.preview} description={m.meanwhile}>
      <p class={styles.sentence}>{found.text}</p>
      <Facts>
        <Fact label={m.hasNow}>
          <Count value={tag.memberCount} />
        </Fact>
        <Fact label={m.wouldHave}>
          <Count value={found.memberCount} />
        </Fact>
        <Fact label={m.gains}>
          <Change count={found.gains} sign="+" look={styles.gains} examples={examples.gains}>
            <ShowThem channel={channel} tree={gained} shown={examples.can} />
          </Change>
        </Fact>
        <Fact label={m.loses}>
          <Change count={found.loses} sign="−" look={styles.loses} examples={examples.loses}>
            <ShowThem channel={channel} tree={lost} shown={examples.can} />
          </Change>
        </Fact>
      </Facts>
      <h3>{m.follows}</h3>
      {found.follows.length === 0 ? (
        <p class={styles.note}>{m.followsNone}</p>
      ) : (
        <Stack gap={2}>
          <p class={styles.note}>{m.followsHint}</p>
          <ul class={styles.follows}>
            {found.follows.map((combo) => (
              <li key={combo.id}>
                <TagChip
                  kind={combo.kind}
                  name={combo.name}
                  state={combo.state}
                  href={paths.tag(channel, combo.id)}
                />
              </li>
            ))}
          </ul>
        </Stack>
      )}
    </Section>
  );
}

interface Examples {
  readonly can: boolean;
  readonly gains: readonly string[];
  readonly loses: readonly string[];
}

/** Asks for a few of those who would gain or lose the combo; nobody while it has no people to compare with. */
function useExamples(
  channel: string,
  tag: ComboToEditFragment,
  tree: Tree,
  input: TagExpressionInput | null,
): Examples {
  const isWithin = depthOf(tree) < MAX_DEPTH && leavesOf(tree).length < MAX_LEAVES;
  const can = tag.state === "ACTIVE" && isWithin && input !== null;
  const [now, then] = [{ tag: tag.id }, input ?? {}];
  const { data } = useQuery(
    ComboEditExamplesDocument,
    {
      channel,
      gains: { except: { from: then, remove: now } },
      loses: { except: { from: now, remove: then } },
    },
    { pause: !can },
  );
  const openids = (side: "gains" | "loses") => data?.[side]?.users.nodes.map(({ openid }) => openid) ?? [];
  return { can, gains: can ? openids("gains") : [], loses: can ? openids("loses") : [] };
}

interface ChangeProps {
  readonly count: number;
  readonly sign: string;
  readonly look: string | undefined;
  readonly examples: readonly string[];
  readonly children: preact.ComponentChildren;
}

function Change({ count, sign, look, examples, children }: ChangeProps) {
  const m = useMessages().combos;
  if (count === 0) return <span>{m.nobody}</span>;
  return (
    <Stack gap={1}>
      <strong class={look}>
        {sign}
        <Count value={count} />
      </strong>
      {examples.length > 0 && (
        <div class={styles.note}>
          {m.examples}
          <ul class={styles.examples}>
            {examples.map((openid) => (
              <li key={openid}>
                <code>{openid}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
      {children}
    </Stack>
  );
}

function ShowThem({ channel, tree, shown }: { channel: string; tree: Tree; shown: boolean }) {
  const m = useMessages().combos;
  if (!shown) return null;
  const expression = encodeURIComponent(toQueryString(tree));
  return (
    <Link href={`/channels/${encodeURIComponent(channel)}/audience?expression=${expression}`}>
      {m.showAll}
    </Link>
  );
}
