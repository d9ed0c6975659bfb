import type { TagDetailFragment } from "../../api/generated/graphql";
import { useMessages } from "../../i18n/messages";
import { Count } from "../../ui/Count";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { TagChip } from "../../ui/TagChip";
import { Time } from "../../ui/Time";
import { paths } from "./paths";
import styles from "./TagPage.module.css";
import { clockTime } from "./words";

/** Shows what is known of a tag: how many people, as of when, and where it comes from. */
export function TagFacts({ tag }: { tag: TagDetailFragment }) {
  const m = useMessages();
  const { facts } = m.tags;
  return (
    <Section card title={<span class="visually-hidden">{m.tags.columns.tag}</span>}>
      <Stack gap={4}>
        <Facts>
          <Fact label={facts.people}>
            <span class={styles.count}>
              <Count value={tag.memberCount} />
            </span>
          </Fact>
          {tag.asOf && !tag.deletedAt && (
            <Fact label={facts.asOf}>
              <time dateTime={tag.asOf}>{clockTime(tag.asOf)}</time>
            </Fact>
          )}
          {!tag.deletedAt && (
            <Fact label={facts.broadcasts}>
              {tag.massPostable ? m.tags.broadcastsYes : m.tags.broadcastsNot}
            </Fact>
          )}
          <Fact label={facts.made}>
            <Time at={tag.createdAt} />
          </Fact>
          {tag.updatedAt !== tag.createdAt && (
            <Fact label={facts.edited}>
              <Time at={tag.updatedAt} />
            </Fact>
          )}
          {tag.__typename === "ReturnTag" && tag.returnKeys.length > 0 && (
            <Fact label={facts.key}>
              {tag.returnKeys.map(({ category, label }) => (
                <div key={`${category} / ${label}`}>
                  {category} / {label}
                </div>
              ))}
            </Fact>
          )}
          {tag.__typename === "DefaultTag" && <Fact label={facts.rule}>{m.tags.rules[tag.rule]}</Fact>}
        </Facts>
        {tag.__typename === "ComboTag" && (
          <div>
            <p class={styles.muted}>{facts.madeOf}</p>
            <p>{tag.expression.text}</p>
            <Row>
              {tag.operands.map((operand) => (
                <TagChip
                  key={operand.id}
                  kind={operand.kind}
                  kindLabel={m.common.kinds[operand.kind]}
                  state={operand.deletedAt ? "LAPSED" : operand.state}
                  name={operand.name}
                  href={paths.tag(tag.channel.id, operand.id)}
                />
              ))}
            </Row>
          </div>
        )}
      </Stack>
    </Section>
  );
}
