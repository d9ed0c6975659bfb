import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { UploadIcon } from "../../ui/icons";
import styles from "./FilePicker.module.css";
import { type FileStart, startOf } from "./fileStart";

type FilePickerProps = {
  file: File | null;
  error: string | null;
  onChoose: (file: File, start: FileStart) => void;
};

/** Takes a file by the button or by dragging it here, and shows how it begins; the whole of it is never read. */
export function FilePicker({ file, error, onChoose }: FilePickerProps) {
  const m = useMessages();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [start, setStart] = useState<FileStart | null>(null);
  useEffect(() => {
    if (!file) setStart(null);
  }, [file]);
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    const begins = await startOf(chosen);
    setStart(begins);
    onChoose(chosen, begins);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer?.files[0]);
  };
  return (
    <div class={styles.field}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button in it does the same by keyboard */}
      <div
        class={classes(styles.zone, over && styles.over, error && styles.wrong)}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <input
          ref={input}
          type="file"
          accept=".csv,.txt,text/csv,text/plain"
          hidden
          onChange={(event) => {
            void take(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
        <Button
          icon={<UploadIcon size={14} />}
          describedBy={`${id}-about`}
          onClick={() => input.current?.click()}
        >
          {file ? m.data.otherFile : m.data.chooseFile}
        </Button>
        <span>{over ? m.data.dropHere : m.data.drop}</span>
      </div>
      <div id={`${id}-about`}>
        {file && <p class={styles.name}>{file.name}</p>}
        <p class={styles.hint}>{m.data.fileHint}</p>
        {error && <p class={styles.error}>{error}</p>}
      </div>
      {start && start.lines.length > 0 && (
        <figure>
          <figcaption class={styles.hint}>{m.data.fileStart}</figcaption>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <section class={styles.start} tabIndex={0} aria-label={m.data.fileStart}>
            <pre>{start.lines.join("\n")}</pre>
          </section>
        </figure>
      )}
    </div>
  );
}
