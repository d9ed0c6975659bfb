import { Checkbox } from "../../../ui/Checkbox";
import { Row, Stack } from "../../../ui/Layout";
import { Section } from "../../../ui/Section";
import { TextInput } from "../../../ui/TextInput";
import { useMessages } from "../messages";
import type { ErrorAt } from "../parts/useFieldErrors";
import type { PolicyForm } from "./policyForm";

interface PolicyFieldsProps {
  form: PolicyForm;
  mayLoosen: boolean;
  errorAt: ErrorAt;
  onChange: (change: Partial<PolicyForm>) => void;
}

export function PolicyFields(props: PolicyFieldsProps) {
  return (
    <>
      <When {...props} />
      <Caps {...props} />
      <Consent {...props} />
    </>
  );
}

function When({ form, errorAt, onChange }: PolicyFieldsProps) {
  const words = useMessages().broadcasts.policy;
  return (
    <Section card title={words.when}>
      <TextInput
        label={words.zone}
        hint={words.zoneHint}
        error={errorAt("timeZone")}
        value={form.timeZone}
        list={ZONES_ID}
        onInput={(timeZone) => onChange({ timeZone })}
      />
      <Zones />
      <Checkbox
        label={words.quiet}
        hint={words.quietHint}
        checked={form.quiet}
        onChange={(quiet) => onChange({ quiet })}
      />
      {form.quiet && (
        <Row gap={3} top>
          <TextInput
            label={words.from}
            type="time"
            error={errorAt("quietHours.from")}
            value={form.from}
            onInput={(from) => onChange({ from })}
          />
          <TextInput
            label={words.to}
            type="time"
            error={errorAt("quietHours.to")}
            value={form.to}
            onInput={(to) => onChange({ to })}
          />
        </Row>
      )}
      <Checkbox
        label={words.holidays}
        checked={form.respectHolidays}
        onChange={(respectHolidays) => onChange({ respectHolidays })}
      />
    </Section>
  );
}

const ZONES_ID = "user-tags-time-zones";

function Zones() {
  return (
    <datalist id={ZONES_ID}>
      {Intl.supportedValuesOf("timeZone").map((zone) => (
        <option key={zone} value={zone} />
      ))}
    </datalist>
  );
}

function Caps({ form, errorAt, onChange }: PolicyFieldsProps) {
  const words = useMessages().broadcasts.policy;
  return (
    <Section card title={words.caps}>
      <TextInput
        label={words.perDay}
        hint={words.perDayHint}
        type="number"
        min={1}
        max={1000}
        error={errorAt("perPersonPerDay")}
        value={form.perDay}
        onInput={(perDay) => onChange({ perDay })}
      />
      <Checkbox label={words.rolling} checked={form.rolling} onChange={(rolling) => onChange({ rolling })} />
      {form.rolling && (
        <Row gap={3} top>
          <TextInput
            label={words.rollingMessages}
            type="number"
            min={1}
            max={1000}
            error={errorAt("perPersonRolling.messages")}
            value={form.rollingMessages}
            onInput={(rollingMessages) => onChange({ rollingMessages })}
          />
          <TextInput
            label={words.rollingDays}
            type="number"
            min={1}
            max={31}
            error={errorAt("perPersonRolling.days")}
            value={form.rollingDays}
            onInput={(rollingDays) => onChange({ rollingDays })}
          />
        </Row>
      )}
    </Section>
  );
}

function Consent({ form, mayLoosen, errorAt, onChange }: PolicyFieldsProps) {
  const words = useMessages().broadcasts.policy;
  return (
    <Section card title={words.guards}>
      <Stack gap={4}>
        <TextInput
          label={words.approval}
          hint={mayLoosen ? words.approvalHint : `${words.approvalHint} ${words.approvalReason}`}
          type="number"
          min={0}
          error={errorAt("approvalAbove")}
          value={form.approvalAbove}
          onInput={(approvalAbove) => onChange({ approvalAbove })}
        />
        <TextInput
          label={words.missed}
          hint={words.missedHint}
          type="number"
          min={0}
          error={errorAt("missedStartAfter")}
          value={form.missed}
          onInput={(missed) => onChange({ missed })}
        />
        <TextInput
          label={words.duplicate}
          hint={words.duplicateHint}
          type="number"
          min={0}
          max={365}
          error={errorAt("duplicateWithinDays")}
          value={form.duplicateDays}
          onInput={(duplicateDays) => onChange({ duplicateDays })}
        />
      </Stack>
    </Section>
  );
}
