import { useCallback } from "preact/hooks";
import { RenameTagDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { showToast } from "../../ui/toast";
import { type Names, namesOfTag, namesToSave } from "./naming";
import type { TagRow } from "./tagList";

/** Offers to save what a tag is called, with an undo that names it as it was. */
export function useRename() {
  const m = useMessages();
  const { run, busy, problem } = useMutation(RenameTagDocument);
  const save = useCallback(
    async (tag: TagRow, names: Names, expectedVersion: number) => {
      const outcome = await run({ id: tag.id, ...namesToSave(names), expectedVersion });
      const saved = outcome.data?.renameTag?.tag;
      if (!saved) return outcome.problem;
      const undo = async () => {
        const back = await run({
          id: tag.id,
          ...namesToSave(namesOfTag(tag)),
          expectedVersion: saved.version,
        });
        if (back.problem) showToast({ text: m.problems[back.problem.code], tone: "negative" });
        else showToast({ text: m.tags.undone(tag.name) });
      };
      const text = saved.name === tag.name ? m.tags.savedDescription : m.tags.saved(saved.name);
      showToast({ text, undo: { label: m.common.undo, run: undo } });
      return null;
    },
    [run, m],
  );
  return { save, busy, problem };
}
