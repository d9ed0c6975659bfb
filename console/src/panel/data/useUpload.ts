import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type ImportOutcome, type ImportRequest, sendFile } from "./upload";

export type UploadState =
  | { readonly kind: "idle" }
  | { readonly kind: "sending"; readonly file: File; readonly sent: number }
  | ImportOutcome;

export interface UploadControl {
  readonly state: UploadState;
  readonly start: (request: ImportRequest, file: File) => Promise<ImportOutcome>;
  readonly cancel: () => void;
  readonly reset: () => void;
}

/** Sends one file at a time, and says how far it is; leaving the page breaks it off. */
export function useUpload(): UploadControl {
  const [state, setState] = useState<UploadState>({ kind: "idle" });
  const running = useRef<AbortController | null>(null);
  const cancel = useCallback(() => running.current?.abort(), []);
  useEffect(() => cancel, [cancel]);
  useWarning(state.kind === "sending");
  const start = useCallback(async (request: ImportRequest, file: File) => {
    const controller = new AbortController();
    running.current = controller;
    const onProgress = (sent: number) => {
      if (!controller.signal.aborted) setState({ kind: "sending", file, sent });
    };
    onProgress(0);
    const outcome = await sendFile(request, file, onProgress, controller.signal);
    setState(outcome);
    return outcome;
  }, []);
  const reset = useCallback(() => setState({ kind: "idle" }), []);
  return { state, start, cancel, reset };
}

/** Lets the browser ask before the page is closed. */
function useWarning(active: boolean): void {
  useEffect(() => {
    if (!active) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [active]);
}
