import { useSearchParams } from "wouter-preact";
import { ChannelsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { Copy } from "../../ui/Copy";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { Select } from "../../ui/Select";
import styles from "./CallExample.module.css";
import { callScript } from "./callScript";

type CallExampleProps = {
  address: string;
  robotAppId: string;
  /** The key while it is shown; null while it is hidden, and then the script leaves its place open. */
  shownKey: string | null;
  mayShow: boolean;
};

/** Shows a script that calls the address for a channel, with what is known filled in. */
export function CallExample({ address, robotAppId, shownKey, mayShow }: CallExampleProps) {
  const m = useMessages();
  const [query, setQuery] = useSearchParams();
  const channels = useQuery(ChannelsDocument, {}).data?.channels.filter(({ bound }) => bound) ?? [];
  const chosen = channels.find(({ id }) => id === query.get("channel")) ?? channels[0];
  if (!chosen) return null;
  const script = callScript({
    address,
    robotAppId,
    key: shownKey,
    appId: chosen.appId,
    keyHidden: m.data.keyPlace,
  });
  return (
    <Section title={m.data.how} description={m.data.howHint} card>
      {channels.length > 1 && (
        <Select
          label={m.data.channel}
          value={chosen.id}
          options={channels.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(channel) => setQuery(() => new URLSearchParams({ channel }), { replace: true })}
        />
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class={styles.script} tabIndex={0} aria-label={m.data.how}>
        <pre>{script}</pre>
      </section>
      <Copy text={script} label={m.data.copyScript} copiedLabel={m.common.copied} />
      {mayShow && shownKey === null && <Reason>{m.data.howKey}</Reason>}
    </Section>
  );
}
