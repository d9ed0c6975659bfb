import { useState } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { ExpressionTagChoicesDocument, WhyNotDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { Row, Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Section } from "../../ui/Section";
import { TagChip } from "../../ui/TagChip";
import { TextInput } from "../../ui/TextInput";
import { useSettled } from "../expressions/useSettled";
import { useMessages } from "../looking/messages";

const SHOWN = 12;
/** How long to wait for more to be typed, in milliseconds. */
const PAUSE = 200;

type WhyNotProps = { readonly channel: string; readonly openid: string };

/** Says why somebody does not have a tag that is looked up; the tag is in the address. */
export default function WhyNotSection({ channel, openid }: WhyNotProps) {
  const m = useMessages().whyNot;
  const [query, setQuery] = useSearchParams();
  const tag = query.get("whyNot");
  const choose = (to: string | null) =>
    setQuery((now) => {
      const written = new URLSearchParams(now);
      if (to === null) written.delete("whyNot");
      else written.set("whyNot", to);
      return written;
    });
  return (
    <Section card title={m.heading} description={m.description}>
      {tag === null ? (
        <TagSearch channel={channel} onChoose={choose} />
      ) : (
        <Stack gap={3}>
          <Reasoned channel={channel} openid={openid} tag={tag} />
          <Row>
            <Button size="small" onClick={() => choose(null)}>
              {m.other}
            </Button>
          </Row>
        </Stack>
      )}
    </Section>
  );
}

function TagSearch({ channel, onChoose }: { channel: string; onChoose: (tag: string) => void }) {
  const all = useMessages();
  const m = all.whyNot;
  const [text, setText] = useState("");
  const search = useSettled(text.trim(), PAUSE);
  const asked = useQuery(ExpressionTagChoicesDocument, { channel, search: search || null, first: SHOWN });
  const found = asked.data?.channel?.tags;
  return (
    <Stack gap={3}>
      <TextInput type="search" label={m.search} hint={m.searchHint} value={text} onInput={setText} />
      <ApiProblem problem={asked.problem} again={asked.again} />
      {!found && !asked.problem && <Loading label={all.common.loading} shape="text" count={1} />}
      {found?.nodes.length === 0 && <p role="status">{m.noneFound}</p>}
      {found && found.nodes.length > 0 && (
        <>
          <fieldset>
            <legend class="visually-hidden">{m.found}</legend>
            <Row>
              {found.nodes.map(({ id, kind, category, name, state }) => (
                <TagChip
                  key={id}
                  kind={kind}
                  kindLabel={all.common.kinds[kind]}
                  state={state}
                  name={`${category} / ${name}`}
                  onClick={() => onChoose(id)}
                />
              ))}
            </Row>
          </fieldset>
          {found.totalCount > found.nodes.length && (
            <p>{m.most(formatCount(found.nodes.length), formatCount(found.totalCount))}</p>
          )}
        </>
      )}
    </Stack>
  );
}

function Reasoned({ channel, openid, tag }: WhyNotProps & { tag: string }) {
  const all = useMessages();
  const m = all.whyNot;
  const asked = useQuery(WhyNotDocument, { channel, openid, tag }, { policy: "network-only" });
  if (asked.problem?.code === "NOT_FOUND") return <p>{m.gone}</p>;
  return (
    <Answer asked={asked}>
      {({ user, node }) => {
        if (!user) return <p>{all.card.unknownTitle}</p>;
        if (!node || !("name" in node)) return <p>{m.gone}</p>;
        if (user.whyNot === null) return <p role="status">{m.has(node.name)}</p>;
        return (
          <div role="status">
            <p>{m.hasNot(node.name)}:</p>
            {/* The service says it in English. */}
            <p lang="en">{user.whyNot}</p>
          </div>
        );
      }}
    </Answer>
  );
}
