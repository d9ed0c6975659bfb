import type { ChannelSettingsFragment } from "../../api/generated/graphql";
import { Copy } from "../../ui/Copy";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { Time } from "../../ui/Time";
import { useMessages } from "./messages";

/** Shows the address for WeChat's pushes, and how it is entered there. */
export function Push({ channel }: { channel: ChannelSettingsFragment }) {
  const m = useMessages();
  const { pushUrl, credentials } = channel;
  if (pushUrl === null) return null;
  return (
    <Section title={m.settings.push} description={m.settings.pushHint} card>
      <Stack gap={3}>
        {credentials?.callbackTokenSet === false && (
          <Problem tone="caution" title={m.settings.tokenMissing} />
        )}
        <Facts>
          <Fact label={m.settings.pushUrl} wide>
            <Stack gap={1}>
              <Copy text={pushUrl} label={m.settings.copyPush} copiedLabel={m.common.copied} show />
              <Reason>{m.settings.pushSecret}</Reason>
            </Stack>
          </Fact>
          <Fact label={m.settings.lastPush}>
            {credentials?.lastPushAt ? <Time at={credentials.lastPushAt} /> : m.settings.noPush}
          </Fact>
        </Facts>
        <details>
          <summary>{m.settings.pushSteps}</summary>
          <ol>
            {m.settings.steps(credentials?.encodingAesKeySet ?? false).map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </details>
      </Stack>
    </Section>
  );
}
