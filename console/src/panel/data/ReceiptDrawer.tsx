import { useState } from "preact/hooks";
import { ReceiptDocument, type ReceiptRowFragment } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { formatInstant } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { now } from "../../ui/clock";
import { Drawer } from "../../ui/Dialog";
import { UndoIcon } from "../../ui/icons";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Counts } from "./Counts";
import { RejectedEntries, UnmatchedOpenids } from "./ReceiptLists";
import { State } from "./ReceiptsTable";
import { undoObstacle } from "./receiptStates";
import { UndoDialog } from "./UndoDialog";

/** Shows one list that was returned: what it did, what was not taken, and the way to undo it. */
export function ReceiptDrawer({ receipt: id, onClose }: { receipt: string; onClose: () => void }) {
  const m = useMessages();
  const asked = useQuery(ReceiptDocument, { receipt: id });
  const receipt = asked.data?.node?.__typename === "ReturnReceipt" ? asked.data.node : null;
  return (
    <Drawer
      open
      title={receipt ? m.data.detailsOf(formatInstant(receipt.at)) : m.data.details}
      closeLabel={m.common.close}
      onClose={onClose}
    >
      <Answer asked={asked}>{() => receipt && <Details receipt={receipt} />}</Answer>
    </Drawer>
  );
}

function Details({ receipt }: { receipt: ReceiptRowFragment }) {
  const m = useMessages();
  const [undoing, setUndoing] = useState(false);
  const obstacle = undoObstacle(receipt, can("SUBMIT_DATA"), now.value);
  const rejected = receipt.rejectedPage.totalCount;
  const unmatched = receipt.unmatchedPage.totalCount;
  return (
    <Stack gap={4}>
      <Facts>
        <Fact label={m.data.mode}>{m.data.modes[receipt.mode]}</Fact>
        <Fact label={m.data.source}>
          {m.data.sources[receipt.source]}
          {receipt.subject !== null && `, ${m.data.by(receipt.subject)}`}
        </Fact>
        <Fact label={m.data.state}>
          <State receipt={receipt} />
        </Fact>
      </Facts>
      <Counts counts={{ ...receipt, rejected, unmatched }} />
      <Button
        icon={<UndoIcon size={14} />}
        reason={obstacle && m.data.undoReasons[obstacle]}
        onClick={() => setUndoing(true)}
      >
        {m.data.undo}
      </Button>
      {undoing && <UndoDialog receipt={receipt} onClose={() => setUndoing(false)} />}
      {rejected > 0 && <RejectedEntries receipt={receipt.id} total={rejected} />}
      {unmatched > 0 && <UnmatchedOpenids receipt={receipt.id} total={unmatched} />}
      {rejected + unmatched === 0 && (can("VIEW_USERS") ? m.data.noRejects : m.data.listsNotYours)}
    </Stack>
  );
}
