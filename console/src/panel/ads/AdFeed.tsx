import { type AdFeedFragment, ConfirmAdReturnAddressDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { can } from "../../app/viewer";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Copy } from "../../ui/Copy";
import { CheckIcon } from "../../ui/icons";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { Time } from "../../ui/Time";
import { showToast } from "../../ui/toast";

/** Tencent's macros under the names that the service reads unless it is told others (docs/integrator.md). */
const MACROS = "?wechat_openid=__WECHAT_OPEN_ID__&adgroup_id=__ADGROUP_ID__&act_time=__ACT_TIME__";

/** Shows the address that the ad platform needs, and lets an admin say that it is there, which ad tags wait for. */
export function AdFeed({ channel, card = false }: { channel: AdFeedFragment; card?: boolean }) {
  const m = useMessages();
  if (channel.kind === "MINI_PROGRAM") {
    return (
      <Problem tone="informative" title={m.ads.miniProgramTitle}>
        {m.ads.miniProgram}
      </Problem>
    );
  }
  return (
    <Section title={m.ads.feed} description={m.ads.feedHint} card={card}>
      <Stack gap={3}>
        {channel.adReturnAddress === null ? (
          <Reason>{m.ads.notYours}</Reason>
        ) : (
          <Address address={channel.adReturnAddress} lastCallAt={channel.credentials?.lastAdCallAt ?? null} />
        )}
        {channel.adReturnConfirmed ? (
          <p>
            <CheckIcon size={14} /> {m.ads.confirmed}
          </p>
        ) : (
          <Confirm channel={channel.id} />
        )}
      </Stack>
    </Section>
  );
}

function Address({ address, lastCallAt }: { address: string; lastCallAt: string | null }) {
  const m = useMessages();
  return (
    <Facts>
      <Fact label={m.ads.address} wide>
        <Stack gap={1}>
          <Copy text={address} label={m.ads.copyAddress} copiedLabel={m.common.copied} show />
          <Reason>{m.ads.secret}</Reason>
        </Stack>
      </Fact>
      <Fact label={m.ads.withMacros} wide>
        <Copy text={address + MACROS} label={m.ads.copyMacros} copiedLabel={m.common.copied} show />
      </Fact>
      <Fact label={m.ads.lastCall}>{lastCallAt === null ? m.ads.noCall : <Time at={lastCallAt} />}</Fact>
    </Facts>
  );
}

function Confirm({ channel }: { channel: string }) {
  const m = useMessages();
  const { run, busy, problem } = useMutation(ConfirmAdReturnAddressDocument);
  const confirm = async () => {
    const { data } = await run({ channel });
    const count = data?.confirmAdReturnAddress?.activated.length;
    if (count === undefined) return;
    showToast({ text: count === 0 ? m.ads.confirmedNone : m.ads.activated(formatCount(count)) });
  };
  return (
    <Problem
      tone="caution"
      title={m.ads.unconfirmed}
      action={
        can("MANAGE_CHANNELS") && (
          <Button busy={busy} onClick={confirm}>
            {m.ads.confirm}
          </Button>
        )
      }
    >
      {can("MANAGE_CHANNELS") ? m.ads.confirmHint : m.tags.hints.askAddress}
      <ApiProblem problem={problem} />
    </Problem>
  );
}
