import { useMessages } from "../../i18n/messages";
import { Select } from "../../ui/Select";
import { FilePicker } from "./FilePicker";
import type { ListDraft } from "./listDraft";
import type { LackTexts } from "./useLackTexts";

type FileInputProps = {
  draft: ListDraft;
  /** Headings among which one must be chosen; empty while the service has not asked. */
  columns: readonly string[];
  texts: LackTexts;
  onChange: (part: Partial<ListDraft>) => void;
};

/** Asks for a file, for how it is written, and for the column of the openids where that is not plain. */
export function FileInput({ draft, columns, texts, onChange }: FileInputProps) {
  const m = useMessages();
  return (
    <>
      <FilePicker
        file={draft.file}
        error={texts.file}
        onChoose={(file, { encoding }) => onChange({ file, encoding: encoding ?? "auto", column: "" })}
      />
      {draft.file && (
        <Select
          label={m.data.encoding}
          value={draft.encoding}
          options={[
            { value: "auto", label: m.data.encodings.auto },
            { value: "gb18030", label: m.data.encodings.gb18030 },
          ]}
          onChange={(encoding) => onChange({ encoding })}
        />
      )}
      {columns.length > 0 && (
        <Select
          label={m.data.column}
          hint={m.data.columnHint}
          error={texts.column}
          value={draft.column}
          options={[
            { value: "", label: m.data.columnChoose },
            ...columns.filter(Boolean).map((name) => ({ value: name, label: name })),
          ]}
          onChange={(column) => onChange({ column })}
        />
      )}
    </>
  );
}
