import { useState } from "preact/hooks";
import {
  ObtainReturnEndpointDocument,
  ReturnAddressDocument,
  type ReturnAddressQuery,
  ReturnIdsDocument,
  ReturnKeyDocument,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { ApiProblem } from "../../app/ApiProblem";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Copy } from "../../ui/Copy";
import { EmptyState } from "../../ui/EmptyState";
import { KeyIcon } from "../../ui/icons";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { PageHeader, Section } from "../../ui/Section";
import { Time } from "../../ui/Time";
import { CallExample } from "./CallExample";
import { ResetKey } from "./ResetKey";

/** Shows where integrators return data, with as much of what they need for it as the role may see. */
export default function ReturnEndpointPage() {
  const m = useMessages();
  const asked = useQuery(ReturnAddressDocument, {});
  return (
    <Stack gap={5}>
      <PageHeader title={m.data.heading} description={m.data.intro} />
      <Answer asked={asked}>
        {({ returnEndpoint }) =>
          returnEndpoint ? <Endpoint endpoint={returnEndpoint} /> : <Obtain onObtained={asked.again} />
        }
      </Answer>
      {can("SUBMIT_DATA") && <p>{m.data.otherWays}</p>}
    </Stack>
  );
}

function Obtain({ onObtained }: { onObtained: () => void }) {
  const m = useMessages();
  const { run, busy, problem } = useMutation(ObtainReturnEndpointDocument);
  const mayObtain = can("MANAGE_RETURN_KEY");
  const obtain = async () => {
    if ((await run({})).data) onObtained();
  };
  return (
    <>
      <ApiProblem problem={problem} />
      <EmptyState
        title={m.data.none}
        icon={<KeyIcon size={24} />}
        action={
          mayObtain && (
            <Button variant="primary" busy={busy} onClick={obtain}>
              {m.data.obtain}
            </Button>
          )
        }
      >
        {mayObtain ? m.data.noneHint : m.data.noneAsk}
      </EmptyState>
    </>
  );
}

type EndpointFacts = NonNullable<ReturnAddressQuery["returnEndpoint"]>;

function Endpoint({ endpoint }: { endpoint: EndpointFacts }) {
  const m = useMessages();
  const [shown, setShown] = useState(false);
  const mayCall = can("SUBMIT_DATA") || can("MANAGE_RETURN_KEY");
  const mayKey = can("MANAGE_RETURN_KEY");
  const ids = useQuery(ReturnIdsDocument, {}, { pause: !mayCall }).data?.returnEndpoint;
  // Past the cache: the key is asked for when somebody wants to see it, and not before.
  const asked = useQuery(ReturnKeyDocument, {}, { pause: !shown, policy: "network-only" });
  const key = (shown && asked.data?.returnEndpoint?.key) || null;
  return (
    <>
      <Section
        title={m.data.address}
        card
        actions={mayKey && <ResetKey endpoint={endpoint} onReset={() => setShown(true)} />}
      >
        <Stack gap={4}>
          <Copy text={endpoint.address} label={m.data.copyAddress} copiedLabel={m.common.copied} show />
          {ids && <Ids appId={ids.appId} token={ids.token} />}
          {!mayCall && <Reason>{m.data.addressOnly}</Reason>}
          {mayCall && !mayKey && <Reason>{m.data.keyNotYours}</Reason>}
          {mayKey && <Key value={key} shown={shown} onToggle={() => setShown(!shown)} />}
          <ApiProblem problem={shown ? asked.problem : null} />
          <Usage endpoint={endpoint} />
        </Stack>
      </Section>
      {ids && (
        <CallExample address={endpoint.address} robotAppId={ids.appId} shownKey={key} mayShow={mayKey} />
      )}
    </>
  );
}

function Ids({ appId, token }: { appId: string; token: string }) {
  const m = useMessages();
  return (
    <Facts>
      <Fact label={m.data.appId}>
        <Copy text={appId} label={m.data.copyAppId} copiedLabel={m.common.copied} show />
      </Fact>
      <Fact label={m.data.token}>
        <Copy text={token} label={m.data.copyToken} copiedLabel={m.common.copied} show />
      </Fact>
    </Facts>
  );
}

function Key({ value, shown, onToggle }: { value: string | null; shown: boolean; onToggle: () => void }) {
  const m = useMessages();
  return (
    <Facts>
      <Fact label={m.data.key}>
        <Row>
          {value === null ? (
            m.data.keyHidden
          ) : (
            <Copy text={value} label={m.data.copyKey} copiedLabel={m.common.copied} show />
          )}
          <Button size="small" icon={<KeyIcon size={14} />} onClick={onToggle}>
            {shown ? m.data.hideKey : m.data.showKey}
          </Button>
        </Row>
      </Fact>
    </Facts>
  );
}

function Usage({ endpoint }: { endpoint: EndpointFacts }) {
  const m = useMessages();
  return (
    <Facts>
      <Fact label={m.data.obtainedAt}>
        <Time at={endpoint.obtainedAt} />
      </Fact>
      <Fact label={m.data.keyResetAt}>
        {endpoint.keyResetAt === null ? m.data.never : <Time at={endpoint.keyResetAt} />}
      </Fact>
      <Fact label={m.data.lastCall}>
        {endpoint.lastCallAt === null ? m.data.noCall : <Time at={endpoint.lastCallAt} />}
      </Fact>
    </Facts>
  );
}
